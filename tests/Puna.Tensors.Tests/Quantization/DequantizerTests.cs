using Puna.Tensors.Quantization;
using Puna.Tests.Shared;

namespace Puna.Tensors.Tests.Quantization;

public class DequantizerTests
{
    /// <summary>Every type that has a decoder, but for float32, which is a copy.</summary>
    public static TheoryData<DType> Types
    {
        get
        {
            var types = new TheoryData<DType>();
            foreach (DType type in Enum.GetValues<DType>().Where(t => t != DType.F32 && Dequantizer.Supports(t)))
            {
                types.Add(type);
            }

            return types;
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void GivesTheBitsOfTheFixture(DType type) => CheckBlocks(type, TestFiles.Fixture("quantization", "blocks.safetensors"));

    [Theory]
    [MemberData(nameof(Types))]
    public void GivesTheBitsOfTheGolden(DType type) => CheckBlocks(type, TestFiles.Golden("gguf-blocks", "io.safetensors"));

    [Fact]
    public void KnowsEveryTypeOfTheGoldens()
    {
        var source = new SafetensorsSource(TestFiles.Fixture("quantization", "blocks.safetensors"));
        string[] types = [.. source.Names.Select(n => n.Split('.')[0]).Distinct()];
        Assert.Equal(25, types.Length);
        Assert.All(types, name => Assert.True(DTypes.TryParse(name, out DType type) && Dequantizer.Supports(type), name));
    }

    [Theory]
    [InlineData(DType.I32)]
    [InlineData(DType.F64)]
    [InlineData(DType.F8_E4M3)]
    [InlineData((DType)255)]
    public void RefusesTypesWithoutDecoder(DType type)
    {
        Assert.False(Dequantizer.Supports(type));
        var error = Assert.Throws<PunaException>(() => Dequantizer.Dequantize(type, new byte[32], new float[8]));
        Assert.Contains("expected a float or block type", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.Q4_0, 17, 32)]
    [InlineData(DType.Q4_0, 19, 32)]
    [InlineData(DType.Q4_0, 36, 32)]
    [InlineData(DType.Q6_K, 210, 255)]
    [InlineData(DType.F16, 3, 1)]
    public void RefusesLengthsThatDoNotBelongTogether(DType type, int bytes, int values) =>
        Assert.Throws<PunaException>(() => Dequantizer.Dequantize(type, new byte[bytes], new float[values]));

    [Fact]
    public void FloatsAreCopied()
    {
        var values = new float[2];
        Dequantizer.Dequantize(DType.F32, [0, 0, 128, 63, 0, 0, 0, 128], values);
        AssertSameBits([1f, -0f], values);
    }

    [Fact]
    public void NothingIsAWholeNumberOfBlocks() => Dequantizer.Dequantize(DType.Q6_K, [], []);

    [Theory]
    [InlineData(0x0000, 0x0000_0000u)]
    [InlineData(0x8000, 0x8000_0000u)]
    [InlineData(0x3C00, 0x3F80_0000u)] // 1
    [InlineData(0x0001, 0x3380_0000u)] // 2^-24, the smallest denormal
    [InlineData(0x83FF, 0xB87F_C000u)] // -1023 * 2^-24
    [InlineData(0x7BFF, 0x477F_E000u)] // 65504
    [InlineData(0xFC00, 0xFF80_0000u)] // minus infinity
    [InlineData(0x7E01, 0x7FC0_2000u)] // NaN keeps its payload
    public void HalvesAreExact(int half, uint expected)
    {
        var value = new float[1];
        Dequantizer.Dequantize(DType.F16, [(byte)half, (byte)(half >> 8)], value);
        Assert.Equal(expected, BitConverter.SingleToUInt32Bits(value[0]));
    }

    private static void CheckBlocks(DType type, string path)
    {
        var source = new SafetensorsSource(path);
        string name = type.ToString();
        float[] expected = source.Floats(name + ".values");
        var actual = new float[expected.Length];
        Dequantizer.Dequantize(type, source.Bytes(name + ".blocks"), actual);
        AssertSameBits(expected, actual);
    }

    internal static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            uint e = BitConverter.SingleToUInt32Bits(expected[i]);
            uint a = BitConverter.SingleToUInt32Bits(actual[i]);

            // Which NaN an operation gives is up to the processor.
            if (e != a && !(float.IsNaN(expected[i]) && float.IsNaN(actual[i])))
            {
                Assert.Fail($"value {i}: expected {expected[i]:R} (0x{e:X8}), got {actual[i]:R} (0x{a:X8})");
            }
        }
    }
}
