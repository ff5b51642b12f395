namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// A vector of floats of some width, so that a kernel is written once and compiled for each. Kernels keep independent results in the lanes, or reduce over a
/// fixed number of 16 lanes, so that every width gives the same bits; <see cref="Simd1"/> is the scalar twin.
/// </summary>
/// <typeparam name="V">The vector type.</typeparam>
internal unsafe interface ISimd<V>
    where V : unmanaged
{
    static abstract int Width { get; }

    static abstract V Load(float* p);

    static abstract void Store(V v, float* p);

    /// <summary>IEEE halves as floats, exactly.</summary>
    static abstract V LoadHalf(ushort* p);

    /// <summary>As <see cref="LoadHalf"/> where none is infinite or NaN, and faster.</summary>
    static abstract V LoadFiniteHalf(ushort* p);

    /// <summary>Signed bytes as floats.</summary>
    static abstract V LoadSByte(sbyte* p);

    static abstract V Splat(float x);

    static abstract V Add(V a, V b);

    static abstract V Sub(V a, V b);

    static abstract V Mul(V a, V b);

    static abstract V Div(V a, V b);

    /// <summary>a * b + c, rounded once.</summary>
    static abstract V Fma(V a, V b, V c);

    /// <summary>a where a &gt; b, else b: as the x86 instruction, so that a NaN in <paramref name="b"/> stays.</summary>
    static abstract V Max(V a, V b);

    /// <summary>a where a &lt; b, else b: a NaN in <paramref name="b"/> stays.</summary>
    static abstract V Min(V a, V b);

    /// <summary>2^n for a vector n of whole numbers in [-126, 127], given as floats.</summary>
    static abstract V PowerOfTwo(V n);

    /// <summary>The square root, correctly rounded.</summary>
    static abstract V Sqrt(V a);

    /// <summary>To the nearest whole number, ties to even.</summary>
    static abstract V Round(V a);
}
