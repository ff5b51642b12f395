using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>The upper tail of the normal distribution, for GELU in its exact form (with erf, not tanh).</summary>
internal static class NormalTail
{
    /// <summary>From here on the tail times any number in use is nothing.</summary>
    private const float Farthest = 20f;

    /// <summary>The absolute value, not more than what <see cref="Of"/> takes; NaN stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Bounded<S, V>(V x)
        where S : struct, ISimd<V>
        where V : unmanaged => S.Min(S.Splat(Farthest), S.Max(S.Sub(S.Splat(0f), x), x));

    /// <summary>
    /// erfc(a / sqrt 2) / 2 for a from 0 to 20, as e^(-a^2/2) t P(t) with t = 1 / (1 + 0.35 a). P has degree 8 and interpolates at Chebyshev nodes of t for a up to 14, where it is off by 4e-8 of the value;
    /// rounding adds 2e-7, and e^x its own error.
    /// </summary>
    /// <param name="a">Not negative.</param>
    /// <param name="density">e^(-a^2/2).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<S, V>(V a, out V density)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        density = VectorMath.Exp<S, V>(S.Mul(S.Mul(a, a), S.Splat(-0.5f)));
        V t = S.Div(S.Splat(1f), S.Fma(a, S.Splat(0.35f), S.Splat(1f)));
        V p = S.Splat(-0.029679522f);
        p = S.Fma(p, t, S.Splat(0.14654583f));
        p = S.Fma(p, t, S.Splat(-0.260961228f));
        p = S.Fma(p, t, S.Splat(0.165050996f));
        p = S.Fma(p, t, S.Splat(-0.0270466084f));
        p = S.Fma(p, t, S.Splat(0.107114588f));
        p = S.Fma(p, t, S.Splat(0.119444917f));
        p = S.Fma(p, t, S.Splat(0.139912298f));
        p = S.Fma(p, t, S.Splat(0.139618713f));
        return S.Mul(S.Mul(p, t), density);
    }
}
