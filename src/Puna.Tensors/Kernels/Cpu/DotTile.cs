namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// y[t, r] = x[t] . w[r] for a tile of rows: the inner kernel of every matrix product. All rows are float32 and padded with zeros to a multiple of 16 values.
/// Sums have the shape of <see cref="Lanes"/>: lane k mod 16, one fused multiply-add per value.
/// </summary>
internal static unsafe partial class DotTile
{
    /// <summary>Computes a tile with the kernel of a path.</summary>
    /// <param name="path">Kernel to use.</param>
    /// <param name="w">Weights <c>[rows, k]</c>, <paramref name="wStride"/> floats from row to row.</param>
    /// <param name="wStride">Floats from a weight row to the next.</param>
    /// <param name="rows">Rows of the weight.</param>
    /// <param name="x">Inputs <c>[tokens, k]</c>.</param>
    /// <param name="xStride">Floats from an input row to the next.</param>
    /// <param name="tokens">Input rows.</param>
    /// <param name="k">Values per row, a multiple of 16.</param>
    /// <param name="y">Outputs <c>[tokens, rows]</c>.</param>
    /// <param name="yStride">Floats from an output row to the next.</param>
    public static void Compute(CpuPath path, float* w, nint wStride, int rows, float* x, nint xStride, int tokens, int k, float* y, nint yStride)
    {
        switch (path)
        {
            case CpuPath.Avx512:
                Avx512(w, wStride, rows, x, xStride, tokens, k, y, yStride);
                break;
            case CpuPath.Avx2:
                Avx2(w, wStride, rows, x, xStride, tokens, k, y, yStride);
                break;
            case CpuPath.Vector128:
                Vector128Path(w, wStride, rows, x, xStride, tokens, k, y, yStride);
                break;
            default:
                Scalar(w, wStride, rows, x, xStride, tokens, k, y, yStride);
                break;
        }
    }

    /// <summary>The oracle of the others.</summary>
    public static void Scalar(float* w, nint wStride, int rows, float* x, nint xStride, int tokens, int k, float* y, nint yStride)
    {
        float* lanes = stackalloc float[Lanes.Count];
        for (int t = 0; t < tokens; t++)
        {
            for (int r = 0; r < rows; r++)
            {
                new Span<float>(lanes, Lanes.Count).Clear();
                for (int i = 0; i < k; i++)
                {
                    lanes[i % Lanes.Count] = MathF.FusedMultiplyAdd(w[(r * wStride) + i], x[(t * xStride) + i], lanes[i % Lanes.Count]);
                }

                y[(t * yStride) + r] = Lanes.Sum(lanes);
            }
        }
    }
}
