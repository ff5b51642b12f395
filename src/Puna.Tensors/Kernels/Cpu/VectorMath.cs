using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>Elementary functions over vectors of any width; each width gives the same bits.</summary>
internal static class VectorMath
{
    /// <summary>
    /// e^x within 2 units in the last place on [-87.3, 88]; larger arguments give e^88, so that nothing overflows, and smaller ones end in 0; NaN stays NaN.
    /// Range reduction by multiples of ln 2 and a polynomial of degree 7 (coefficients: Cephes' expf, S. Moshier).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<S, V>(V x)
        where S : ISimd<V>
        where V : unmanaged
    {
        x = S.Min(S.Splat(88f), S.Max(S.Splat(-88f), x));
        V n = S.Round(S.Mul(x, S.Splat(1.44269504f)));
        V r = S.Fma(n, S.Splat(-0.693359375f), x);
        r = S.Fma(n, S.Splat(2.12194440e-4f), r);
        V p = S.Fma(S.Splat(1.9875691500e-4f), r, S.Splat(1.3981999507e-3f));
        p = S.Fma(p, r, S.Splat(8.3334519073e-3f));
        p = S.Fma(p, r, S.Splat(4.1665795894e-2f));
        p = S.Fma(p, r, S.Splat(1.6666665459e-1f));
        p = S.Fma(p, r, S.Splat(5.0000001201e-1f));
        p = S.Add(S.Fma(p, S.Mul(r, r), r), S.Splat(1f));
        return S.Mul(p, S.PowerOfTwo(n));
    }
}
