using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Quantization;
using Puna.Tensors.Quantization;
using Puna.Tests.Shared;

namespace Puna.Tensors.Tests.Quantization;

/// <summary>Every vector width against the scalar twin and the fixture, also widths that this processor lacks (portable code in their place).</summary>
public class VectorDecoderTests
{
    public static TheoryData<DType, int> Cases
    {
        get
        {
            var cases = new TheoryData<DType, int>();
            foreach (DType type in Enum.GetValues<DType>().Where(Dequantizer.Supports))
            {
                foreach (CpuPath level in Enum.GetValues<CpuPath>())
                {
                    cases.Add(type, (int)level);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void GivesTheBitsOfTheScalarTwinOnRandomBytes(DType type, int level)
    {
        // Random bytes are valid blocks of every type; among their scales are infinities, NaN, denormals and both signs.
        int values = Math.Max(type.BlockSize() * 300, 4096 + 13);
        values -= values % type.BlockSize();
        var source = new byte[type.RowBytes(values) + 1];
        new Random(17 + (int)type).NextBytes(source);
        ReadOnlySpan<byte> odd = source.AsSpan(1); // no alignment is promised
        var expected = new float[values];
        var actual = new float[values];
        DequantizeKernels.DequantizeSpan(type, CpuPath.Scalar, odd, expected);
        DequantizeKernels.DequantizeSpan(type, (CpuPath)level, odd, actual);
        DequantizerTests.AssertSameBits(expected, actual);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void GivesTheBitsOfTheFixture(DType type, int level)
    {
        if (type == DType.F32)
        {
            return; // a copy; the fixture has no blocks of it
        }

        var source = new SafetensorsSource(TestFiles.Fixture("quantization", "blocks.safetensors"));
        float[] expected = source.Floats($"{type}.values");
        var actual = new float[expected.Length];
        DequantizeKernels.DequantizeSpan(type, (CpuPath)level, source.Bytes($"{type}.blocks"), actual);
        DequantizerTests.AssertSameBits(expected, actual);
    }

    [Theory]
    [InlineData((int)CpuPath.Vector128)]
    [InlineData((int)CpuPath.Avx2)]
    [InlineData((int)CpuPath.Avx512)]
    public void EveryHalfIsExact(int level)
    {
        var halves = new byte[2 << 16];
        var expected = new float[1 << 16];
        for (int i = 0; i < expected.Length; i++)
        {
            halves[2 * i] = (byte)i;
            halves[(2 * i) + 1] = (byte)(i >> 8);
            expected[i] = (float)BitConverter.UInt16BitsToHalf((ushort)i);
        }

        var actual = new float[1 << 16];
        DequantizeKernels.DequantizeSpan(DType.F16, (CpuPath)level, halves, actual);
        DequantizerTests.AssertSameBits(expected, actual);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void WritesNothingBeyondTheEnd(DType type, int level)
    {
        int values = type.BlockSize() * 3;
        var source = new byte[type.RowBytes(values)];
        var room = new float[values + 16];
        room.AsSpan(values).Fill(42f);
        DequantizeKernels.DequantizeSpan(type, (CpuPath)level, source, room.AsSpan(0, values));
        Assert.All(room[values..], v => Assert.Equal(42f, v));
    }
}
