namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// Vectors of 32-bit lanes, a lane a weight row, as the product kernels use them: integers, pairs of 16-bit integers, and floats. Kernels are written once over it; integer
/// sums are exact and float operations are lane by lane, so every width gives the same bits.
/// </summary>
/// <typeparam name="I">Vector of 32-bit integers.</typeparam>
/// <typeparam name="F">Vector of floats, as many.</typeparam>
internal unsafe interface IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>Lanes.</summary>
    static abstract int Width { get; }

    static abstract I Load(void* p);

    /// <summary>Asks for the cache line of an address, which may be anywhere.</summary>
    static abstract void Prefetch(void* p);

    static abstract void Store(I v, void* p);

    /// <summary>Unsigned bytes, one per lane.</summary>
    static abstract I LoadBytes(byte* p);

    /// <summary>Signed bytes, one per lane.</summary>
    static abstract I LoadSignedBytes(byte* p);

    static abstract I Splat(int x);

    static abstract I And(I a, I b);

    static abstract I Or(I a, I b);

    static abstract I Add(I a, I b);

    static abstract I Sub(I a, I b);

    static abstract I ShiftLeft(I v, int bits);

    /// <summary>Halves of lanes shifted right, zeros coming in.</summary>
    static abstract I ShiftRight16(I v, int bits);

    /// <summary>Halves of lanes shifted right, the sign coming in.</summary>
    static abstract I ShiftRightSigned16(I v, int bits);

    /// <summary>Halves of lanes shifted left.</summary>
    static abstract I ShiftLeft16(I v, int bits);

    /// <summary>
    /// Sums per lane of the four products of unsigned bytes, at most 63, with signed ones, in parts: as the processor adds them best. Together with
    /// <see cref="AddDot"/> at most 32,767 may come together in half a lane: four times codes up to 31, twice those up to 63.
    /// </summary>
    static abstract I Dot(I codes, I x);

    /// <summary><see cref="Dot"/> added to the parts of a sum.</summary>
    static abstract I AddDot(I sum, I codes, I x);

    /// <summary>The parts of a sum put together, times m, which both halves of <paramref name="m"/> hold.</summary>
    static abstract I Weigh(I sum, I m);

    /// <summary>a + low(p) * low(x) + high(p) * high(x) per lane, the halves signed.</summary>
    static abstract I AddProducts(I a, I p, I x);

    /// <summary><see cref="AddProducts(I, I, I)"/> four times: one call to inline instead of four.</summary>
    static abstract I AddProducts(I a, I p0, I x0, I p1, I x1, I p2, I x2, I p3, I x3);

    static abstract F ToFloat(I v);

    /// <summary>IEEE halves that are finite, one per lane.</summary>
    static abstract F LoadScales(ushort* p);

    /// <summary>The halves in the lower (false) or upper part of each lane; they are finite.</summary>
    static abstract F Half(I v, bool upper);

    /// <summary>The bfloat16 in the lower (false) or upper part of each lane.</summary>
    static abstract F BFloat16(I v, bool upper);

    static abstract F LoadFloats(float* p);

    static abstract void StoreFloats(F v, float* p);

    static abstract F SplatFloat(float x);

    static abstract F AddFloats(F a, F b);

    static abstract F MulFloats(F a, F b);

    /// <summary>a * b + c, rounded once.</summary>
    static abstract F Fma(F a, F b, F c);
}
