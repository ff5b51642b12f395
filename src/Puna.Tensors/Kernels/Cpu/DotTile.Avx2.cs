using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu;

internal static unsafe partial class DotTile
{
    /// <summary>
    /// 256-bit kernel. Three rows by two tokens keep 12 accumulators, two inputs and a weight in the 16 registers; the 16 lanes are two registers.
    /// A single token takes four rows at a time.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Avx2(float* w, nint wStride, int rows, float* x, nint xStride, int tokens, int k, float* y, nint yStride)
    {
        int t = 0;
        for (; t + 2 <= tokens; t += 2)
        {
            int r = 0;
            for (; r + 3 <= rows; r += 3)
            {
                Avx2Rows3Tokens2(w + (r * wStride), wStride, x + (t * xStride), xStride, k, y + (t * yStride) + r, yStride);
            }

            for (; r < rows; r++)
            {
                y[(t * yStride) + r] = Avx2Dot(w + (r * wStride), x + (t * xStride), k);
                y[((t + 1) * yStride) + r] = Avx2Dot(w + (r * wStride), x + ((t + 1) * xStride), k);
            }
        }

        if (t < tokens)
        {
            int r = 0;
            for (; r + 4 <= rows; r += 4)
            {
                Avx2Rows4(w + (r * wStride), wStride, x + (t * xStride), k, y + (t * yStride) + r);
            }

            for (; r < rows; r++)
            {
                y[(t * yStride) + r] = Avx2Dot(w + (r * wStride), x + (t * xStride), k);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Avx2Dot(float* w, float* x, int k)
    {
        Vector256<float> low = default, high = default;
        for (int i = 0; i < k; i += 16)
        {
            low = Fused.MultiplyAdd(Vector256.Load(w + i), Vector256.Load(x + i), low);
            high = Fused.MultiplyAdd(Vector256.Load(w + i + 8), Vector256.Load(x + i + 8), high);
        }

        return Lanes.Sum(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Avx2Rows3Tokens2(float* w, nint wStride, float* x, nint xStride, int k, float* y, nint yStride)
    {
        Vector256<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default;
        Vector256<float> d0 = default, d1 = default, e0 = default, e1 = default, f0 = default, f1 = default;
        float* w1 = w + wStride;
        float* w2 = w1 + wStride;
        float* x1 = x + xStride;
        for (int i = 0; i < k; i += 16)
        {
            Vector256<float> u = Vector256.Load(x + i);
            Vector256<float> v = Vector256.Load(x1 + i);
            Vector256<float> m = Vector256.Load(w + i);
            a0 = Fused.MultiplyAdd(m, u, a0);
            b0 = Fused.MultiplyAdd(m, v, b0);
            m = Vector256.Load(w1 + i);
            c0 = Fused.MultiplyAdd(m, u, c0);
            d0 = Fused.MultiplyAdd(m, v, d0);
            m = Vector256.Load(w2 + i);
            e0 = Fused.MultiplyAdd(m, u, e0);
            f0 = Fused.MultiplyAdd(m, v, f0);
            u = Vector256.Load(x + i + 8);
            v = Vector256.Load(x1 + i + 8);
            m = Vector256.Load(w + i + 8);
            a1 = Fused.MultiplyAdd(m, u, a1);
            b1 = Fused.MultiplyAdd(m, v, b1);
            m = Vector256.Load(w1 + i + 8);
            c1 = Fused.MultiplyAdd(m, u, c1);
            d1 = Fused.MultiplyAdd(m, v, d1);
            m = Vector256.Load(w2 + i + 8);
            e1 = Fused.MultiplyAdd(m, u, e1);
            f1 = Fused.MultiplyAdd(m, v, f1);
        }

        y[0] = Lanes.Sum(a0, a1);
        y[1] = Lanes.Sum(c0, c1);
        y[2] = Lanes.Sum(e0, e1);
        y[yStride] = Lanes.Sum(b0, b1);
        y[yStride + 1] = Lanes.Sum(d0, d1);
        y[yStride + 2] = Lanes.Sum(f0, f1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Avx2Rows4(float* w, nint wStride, float* x, int k, float* y)
    {
        Vector256<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        float* w1 = w + wStride;
        float* w2 = w1 + wStride;
        float* w3 = w2 + wStride;
        for (int i = 0; i < k; i += 16)
        {
            Vector256<float> u = Vector256.Load(x + i);
            Vector256<float> v = Vector256.Load(x + i + 8);
            a0 = Fused.MultiplyAdd(Vector256.Load(w + i), u, a0);
            a1 = Fused.MultiplyAdd(Vector256.Load(w + i + 8), v, a1);
            b0 = Fused.MultiplyAdd(Vector256.Load(w1 + i), u, b0);
            b1 = Fused.MultiplyAdd(Vector256.Load(w1 + i + 8), v, b1);
            c0 = Fused.MultiplyAdd(Vector256.Load(w2 + i), u, c0);
            c1 = Fused.MultiplyAdd(Vector256.Load(w2 + i + 8), v, c1);
            d0 = Fused.MultiplyAdd(Vector256.Load(w3 + i), u, d0);
            d1 = Fused.MultiplyAdd(Vector256.Load(w3 + i + 8), v, d1);
        }

        y[0] = Lanes.Sum(a0, a1);
        y[1] = Lanes.Sum(b0, b1);
        y[2] = Lanes.Sum(c0, c1);
        y[3] = Lanes.Sum(d0, d1);
    }
}
