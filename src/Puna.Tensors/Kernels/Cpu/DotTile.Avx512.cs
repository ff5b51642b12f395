using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu;

internal static unsafe partial class DotTile
{
    /// <summary>
    /// 512-bit kernel: the 16 lanes are one register; four rows by four tokens keep 16 accumulators in the 32 registers. Only portable vector operations, so
    /// that a machine without AVX-512 can test it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Avx512(float* w, nint wStride, int rows, float* x, nint xStride, int tokens, int k, float* y, nint yStride)
    {
        int t = 0;
        for (; t + 4 <= tokens; t += 4)
        {
            int r = 0;
            for (; r + 4 <= rows; r += 4)
            {
                Avx512Rows4Tokens4(w + (r * wStride), wStride, x + (t * xStride), xStride, k, y + (t * yStride) + r, yStride);
            }

            for (; r < rows; r++)
            {
                for (int u = t; u < t + 4; u++)
                {
                    y[(u * yStride) + r] = Avx512Dot(w + (r * wStride), x + (u * xStride), k);
                }
            }
        }

        for (; t < tokens; t++)
        {
            int r = 0;
            for (; r + 4 <= rows; r += 4)
            {
                Avx512Rows4(w + (r * wStride), wStride, x + (t * xStride), k, y + (t * yStride) + r);
            }

            for (; r < rows; r++)
            {
                y[(t * yStride) + r] = Avx512Dot(w + (r * wStride), x + (t * xStride), k);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Avx512Dot(float* w, float* x, int k)
    {
        Vector512<float> sum = default;
        for (int i = 0; i < k; i += 16)
        {
            sum = Fused.MultiplyAdd(Vector512.Load(w + i), Vector512.Load(x + i), sum);
        }

        return Lanes.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Avx512Rows4(float* w, nint wStride, float* x, int k, float* y)
    {
        Vector512<float> a = default, b = default, c = default, d = default;
        float* w1 = w + wStride;
        float* w2 = w1 + wStride;
        float* w3 = w2 + wStride;
        for (int i = 0; i < k; i += 16)
        {
            Vector512<float> u = Vector512.Load(x + i);
            a = Fused.MultiplyAdd(Vector512.Load(w + i), u, a);
            b = Fused.MultiplyAdd(Vector512.Load(w1 + i), u, b);
            c = Fused.MultiplyAdd(Vector512.Load(w2 + i), u, c);
            d = Fused.MultiplyAdd(Vector512.Load(w3 + i), u, d);
        }

        y[0] = Lanes.Sum(a);
        y[1] = Lanes.Sum(b);
        y[2] = Lanes.Sum(c);
        y[3] = Lanes.Sum(d);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Avx512Rows4Tokens4(float* w, nint wStride, float* x, nint xStride, int k, float* y, nint yStride)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default;
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default;
        Vector512<float> d0 = default, d1 = default, d2 = default, d3 = default;
        float* w1 = w + wStride;
        float* w2 = w1 + wStride;
        float* w3 = w2 + wStride;
        float* x1 = x + xStride;
        float* x2 = x1 + xStride;
        float* x3 = x2 + xStride;
        for (int i = 0; i < k; i += 16)
        {
            Vector512<float> u0 = Vector512.Load(x + i);
            Vector512<float> u1 = Vector512.Load(x1 + i);
            Vector512<float> u2 = Vector512.Load(x2 + i);
            Vector512<float> u3 = Vector512.Load(x3 + i);
            Vector512<float> m = Vector512.Load(w + i);
            a0 = Fused.MultiplyAdd(m, u0, a0);
            a1 = Fused.MultiplyAdd(m, u1, a1);
            a2 = Fused.MultiplyAdd(m, u2, a2);
            a3 = Fused.MultiplyAdd(m, u3, a3);
            m = Vector512.Load(w1 + i);
            b0 = Fused.MultiplyAdd(m, u0, b0);
            b1 = Fused.MultiplyAdd(m, u1, b1);
            b2 = Fused.MultiplyAdd(m, u2, b2);
            b3 = Fused.MultiplyAdd(m, u3, b3);
            m = Vector512.Load(w2 + i);
            c0 = Fused.MultiplyAdd(m, u0, c0);
            c1 = Fused.MultiplyAdd(m, u1, c1);
            c2 = Fused.MultiplyAdd(m, u2, c2);
            c3 = Fused.MultiplyAdd(m, u3, c3);
            m = Vector512.Load(w3 + i);
            d0 = Fused.MultiplyAdd(m, u0, d0);
            d1 = Fused.MultiplyAdd(m, u1, d1);
            d2 = Fused.MultiplyAdd(m, u2, d2);
            d3 = Fused.MultiplyAdd(m, u3, d3);
        }

        y[0] = Lanes.Sum(a0);
        y[1] = Lanes.Sum(b0);
        y[2] = Lanes.Sum(c0);
        y[3] = Lanes.Sum(d0);
        y += yStride;
        y[0] = Lanes.Sum(a1);
        y[1] = Lanes.Sum(b1);
        y[2] = Lanes.Sum(c1);
        y[3] = Lanes.Sum(d1);
        y += yStride;
        y[0] = Lanes.Sum(a2);
        y[1] = Lanes.Sum(b2);
        y[2] = Lanes.Sum(c2);
        y[3] = Lanes.Sum(d2);
        y += yStride;
        y[0] = Lanes.Sum(a3);
        y[1] = Lanes.Sum(b3);
        y[2] = Lanes.Sum(c3);
        y[3] = Lanes.Sum(d3);
    }
}
