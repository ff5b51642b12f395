using Puna.Tensors.Quantization;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>One lane: the scalar twin of every kernel written over <see cref="ISimd{V}"/>.</summary>
internal readonly unsafe struct Simd1 : ISimd<float>
{
    public static int Width => 1;

    public static float Load(float* p) => *p;

    public static void Store(float v, float* p) => *p = v;

    public static float LoadHalf(ushort* p) => FloatBits.FromHalf(*p);

    public static float LoadFiniteHalf(ushort* p) => FloatBits.FromHalf(*p);

    public static float LoadSByte(sbyte* p) => *p;

    public static float Splat(float x) => x;

    public static float Add(float a, float b) => a + b;

    public static float Sub(float a, float b) => a - b;

    public static float Mul(float a, float b) => a * b;

    public static float Div(float a, float b) => a / b;

    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    public static float Max(float a, float b) => a > b ? a : b;

    public static float Min(float a, float b) => a < b ? a : b;

    public static float PowerOfTwo(float n) => BitConverter.Int32BitsToSingle(((int)n + 127) << 23);

    public static float Sqrt(float a) => MathF.Sqrt(a);

    public static float Round(float a) => MathF.Round(a, MidpointRounding.ToEven);
}
