using System.Globalization;
using Puna.Tensors.Quantization;
using Puna.Tests.Shared;

namespace Puna.Tensors.Tests.Quantization;

public class QuantizerTests
{
    public static TheoryData<DType> Types => [.. Enum.GetValues<DType>().Where(Quantizer.Supports)];

    public static TheoryData<DType> BlockTypes => [.. Enum.GetValues<DType>().Where(t => Quantizer.Supports(t) && t.IsBlock())];

    public static TheoryData<DType> SuperBlockTypes => [DType.Q2_K, DType.Q3_K, DType.Q4_K, DType.Q5_K, DType.Q6_K];

    [Fact]
    public void WritesTheTypesOfTheFormatThatHaveAnEncoder() =>
        Assert.Equal(14, Types.Count);

    [Theory]
    [MemberData(nameof(Types))]
    public void GivesTheBytesOfLlamaCpp(DType type)
    {
        var source = new SafetensorsSource(TestFiles.Fixture("quantization", "encoded.safetensors"));
        float[] values = source.Floats("values");
        ReadOnlySpan<byte> expected = source.Bytes(type == DType.F32 ? "values" : type.ToString());
        var actual = new byte[expected.Length];
        Quantizer.Quantize(type, values, actual);
        Assert.Equal(expected.ToArray(), actual);
    }

    /// <summary>Eight groups side by side against one by one, over magnitudes from denormal to the largest that fit, with flat and empty groups.</summary>
    [Theory]
    [MemberData(nameof(SuperBlockTypes))]
    public void GroupsSideBySideGiveTheSameBytes(DType type)
    {
        var random = new Random(5);
        var values = new float[256 * 400];
        for (int g = 0; g < values.Length / 16; g++)
        {
            Span<float> group = values.AsSpan(16 * g, 16);
            float magnitude = (float)Math.Pow(10, ((g / 16 % 50) * 0.9) - 41);
            int kind = random.Next(8);
            float middle = (float)(random.NextDouble() - 0.5) * 4;
            for (int i = 0; i < 16; i++)
            {
                float noise = (float)((random.NextDouble() + random.NextDouble() + random.NextDouble()) - 1.5);
                group[i] = magnitude * kind switch
                {
                    0 => 0,
                    1 => middle, // flat
                    2 => middle + (noise * 1e-6f), // nearly flat
                    3 => middle + noise,
                    4 => random.Next(4) == 0 ? noise * 100 : noise,
                    5 => random.Next(3) - 1,
                    _ => noise,
                };
            }
        }

        var one = new byte[type.RowBytes(256)];
        var eight = new byte[one.Length];
        for (int at = 0; at < values.Length; at += 256)
        {
            ReadOnlySpan<float> row = values.AsSpan(at, 256);
            Quantizer.Quantize(type, lanes: false, row, one);
            Quantizer.Quantize(type, lanes: true, row, eight);
            Assert.True(one.AsSpan().SequenceEqual(eight), $"values {at} to {at + 255}");
        }
    }

    /// <summary>What one of these types wrote has its extreme values at the ends of the range, so writing it again changes nothing.</summary>
    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    [InlineData(DType.Q4_0)]
    [InlineData(DType.Q4_1)]
    [InlineData(DType.Q5_0)]
    [InlineData(DType.Q5_1)]
    [InlineData(DType.Q8_0)]
    public void WritingTwiceChangesNothing(DType type)
    {
        float[] values = Noise(4096, 3, 0.1f);
        var first = new byte[type.RowBytes(values.Length)];
        var second = new byte[first.Length];
        Quantizer.Quantize(type, values, first);
        Dequantizer.Dequantize(type, first, values);
        Quantizer.Quantize(type, values, second);
        Assert.Equal(first, second);
    }

    /// <summary>
    /// Uniform noise loses about step/√12 per value. The steps: the range of a group of 16 or 32 values in ±1 over the number of levels; twice that is allowed
    /// because scales are rounded too.
    /// </summary>
    [Theory]
    [InlineData(DType.Q4_0, 2f / 16)]
    [InlineData(DType.Q4_1, 2f / 15)]
    [InlineData(DType.Q5_0, 2f / 32)]
    [InlineData(DType.Q5_1, 2f / 31)]
    [InlineData(DType.Q8_0, 2f / 254)]
    [InlineData(DType.IQ4_NL, 2f / 15)]
    [InlineData(DType.Q2_K, 2f / 3)]
    [InlineData(DType.Q3_K, 2f / 8)]
    [InlineData(DType.Q4_K, 2f / 15)]
    [InlineData(DType.Q5_K, 2f / 31)]
    [InlineData(DType.Q6_K, 2f / 64)]
    public void LosesNoMoreThanItsStep(DType type, float step)
    {
        var random = new Random(11);
        float[] values = [.. Enumerable.Range(0, 4096).Select(_ => (float)((random.NextDouble() * 2) - 1))];
        float[] back = RoundTrip(type, values);
        double error = 0;
        for (int i = 0; i < values.Length; i++)
        {
            error += (values[i] - back[i]) * (double)(values[i] - back[i]);
        }

        double deviation = Math.Sqrt(error / values.Length);
        Assert.InRange(deviation, 0.3 * step / Math.Sqrt(12), 2 * step / Math.Sqrt(12));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void ZerosStayZeros(DType type)
    {
        var values = new float[512];
        values.AsSpan(256).Fill(-0f);
        Assert.All(RoundTrip(type, values), v => Assert.Equal(0f, v));
    }

    [Theory]
    [MemberData(nameof(BlockTypes))]
    public void EqualValuesComeBack(DType type)
    {
        foreach (float value in (float[])[1f, -1f, 0.037f, -250f])
        {
            // Scales have 11 bits, and of Q2_K's minima only 4 more are lost: 1/16 is far above both.
            float[] values = [.. Enumerable.Repeat(value, 256)];
            Assert.All(RoundTrip(type, values), v => Assert.InRange(Math.Abs(v - value), 0, Math.Abs(value) / 16));
        }
    }

    [Theory]
    [MemberData(nameof(BlockTypes))]
    public void TinyValuesAreFinite(DType type)
    {
        foreach (float scale in (float[])[float.Epsilon, 1e-42f, 1e-38f, 1e-30f, 1e-20f, 1e-15f, 1e-8f])
        {
            float[] values = Noise(512, 7, scale);
            values[300] = scale; // at least one that is not zero
            Assert.All(RoundTrip(type, values), v => Assert.InRange(Math.Abs(v), 0, 1e-7f));
        }
    }

    [Theory]
    [MemberData(nameof(BlockTypes))]
    public void ValuesThatAreNotFiniteAreRefused(DType type)
    {
        (float, string)[] cases = [(float.NaN, "NaN"), (float.PositiveInfinity, "infinity"), (float.NegativeInfinity, "-infinity")];
        foreach ((float bad, string name) in cases)
        {
            float[] values = Noise(512, 7, 1);
            values[301] = bad;
            var error = Assert.Throws<PunaException>(() => Quantizer.Quantize(type, values, new byte[type.RowBytes(512)]));
            Assert.Equal($"quantise {type.Name()}: expected finite values, got {name} (value 301)", error.Message);
        }
    }

    [Theory]
    [MemberData(nameof(BlockTypes))]
    public void ValuesBeyondHalfPrecisionScalesAreRefused(DType type)
    {
        foreach (float huge in (float[])[5e8f, 1e10f, -1e20f, float.MaxValue])
        {
            float[] values = Noise(512, 7, 1);
            values[301] = huge;
            values[302] = -huge;
            var error = Assert.Throws<PunaException>(() => Quantizer.Quantize(type, values, new byte[type.RowBytes(512)]));
            string number = huge.ToString("R", CultureInfo.InvariantCulture);
            Assert.Equal($"quantise {type.Name()}: expected values that fit half-precision scales, got {number} (value 301)", error.Message);
        }

        Assert.All(RoundTrip(type, Noise(512, 7, 60000)), v => Assert.True(float.IsFinite(v)));
    }

    [Fact]
    public void FloatTypesKeepNaNAndInfinity()
    {
        float[] values = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, BitConverter.UInt32BitsToSingle(0xFF80_0001)];
        foreach (DType type in (DType[])[DType.F16, DType.BF16])
        {
            float[] back = RoundTrip(type, values);
            Assert.True(float.IsNaN(back[0]) && float.IsNaN(back[3]));
            Assert.Equal(values[1..3], back[1..3]);
        }
    }

    [Theory]
    [InlineData(1f + (1f / 256), 0x3F80)] // a tie goes to the even neighbour
    [InlineData(1f + (3f / 256), 0x3F82)]
    [InlineData(1f + (1f / 256) + (1f / 65536), 0x3F81)]
    [InlineData(float.MaxValue, 0x7F80)]
    [InlineData(-0f, 0x8000)]
    public void BFloat16RoundsToNearestEven(float value, int bits)
    {
        var bytes = new byte[2];
        Quantizer.Quantize(DType.BF16, [value], bytes);
        Assert.Equal(bits, bytes[0] | (bytes[1] << 8));
    }

    [Theory]
    [InlineData(1f + (1f / 2048), 0x3C00)]
    [InlineData(1f + (3f / 2048), 0x3C02)]
    [InlineData(65519f, 0x7BFF)]
    [InlineData(65520f, 0x7C00)]
    [InlineData(5.9604645E-08f, 0x0001)] // 2^-24
    [InlineData(2.9802322E-08f, 0x0000)] // half of it ties to zero
    public void HalvesRoundToNearestEven(float value, int bits)
    {
        var bytes = new byte[2];
        Quantizer.Quantize(DType.F16, [value], bytes);
        Assert.Equal(bits, bytes[0] | (bytes[1] << 8));
    }

    [Theory]
    [InlineData(DType.IQ4_XS, 256, 136)]
    [InlineData(DType.IQ4_NL, 32, 17)]
    [InlineData(DType.I32, 1, 4)]
    [InlineData(DType.Q4_0, 31, 18)]
    [InlineData(DType.Q4_0, 32, 17)]
    [InlineData(DType.Q6_K, 256, 211)]
    public void RefusesWhatDoesNotFit(DType type, int values, int bytes) =>
        Assert.Throws<PunaException>(() => Quantizer.Quantize(type, new float[values], new byte[bytes]));

    private static float[] RoundTrip(DType type, float[] values)
    {
        var bytes = new byte[type.RowBytes(values.Length)];
        var back = new float[values.Length];
        Quantizer.Quantize(type, values, bytes);
        Dequantizer.Dequantize(type, bytes, back);
        return back;
    }

    private static float[] Noise(int count, int seed, float scale)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => scale * (float)((random.NextDouble() * 2) - 1))];
    }
}
