using Puna.Tensors.Quantization;

namespace Puna.Tensors.Tests.Quantization;

public sealed class FloatBitsTests
{
    [Fact]
    public void RoundingToHalvesIsThatOfTheRuntime()
    {
        // Every half, the floats next to it, and the middles between halves where ties go to even; then what does not fit.
        foreach (float x in Enumerable.Range(0, 0x7C00).SelectMany(static h => Near((float)BitConverter.UInt16BitsToHalf((ushort)h), (float)BitConverter.UInt16BitsToHalf((ushort)(h + 1)))))
        {
            Assert.Equal((Half)x, BitConverter.UInt16BitsToHalf(FloatBits.ToHalf(x)));
            Assert.Equal((Half)(-x), BitConverter.UInt16BitsToHalf(FloatBits.ToHalf(-x)));
        }

        foreach (float x in new[] { 0f, -0f, 65504, 65519.99f, 65520, 1e9f, float.MaxValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN, float.Epsilon, 2.98e-8f, 2.99e-8f })
        {
            Assert.Equal(BitConverter.HalfToUInt16Bits((Half)x) & 0x7FFF, FloatBits.ToHalf(x) & 0x7FFF);
        }

        static float[] Near(float a, float b)
        {
            float middle = (a + b) / 2;
            return float.IsFinite(b) ? [a, MathF.BitIncrement(a), MathF.BitDecrement(middle), middle, MathF.BitIncrement(middle)] : [a, MathF.BitIncrement(a)];
        }
    }
}
