using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu;

internal static unsafe partial class DotTile
{
    /// <summary>128-bit kernel (Arm NEON): one row and one token at a time, 16 lanes in four registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Vector128Path(float* w, nint wStride, int rows, float* x, nint xStride, int tokens, int k, float* y, nint yStride)
    {
        for (int t = 0; t < tokens; t++)
        {
            float* xt = x + (t * xStride);
            for (int r = 0; r < rows; r++)
            {
                float* wr = w + (r * wStride);
                Vector128<float> a = default, b = default, c = default, d = default;
                for (int i = 0; i < k; i += 16)
                {
                    a = Vector128.FusedMultiplyAdd(Vector128.Load(wr + i), Vector128.Load(xt + i), a);
                    b = Vector128.FusedMultiplyAdd(Vector128.Load(wr + i + 4), Vector128.Load(xt + i + 4), b);
                    c = Vector128.FusedMultiplyAdd(Vector128.Load(wr + i + 8), Vector128.Load(xt + i + 8), c);
                    d = Vector128.FusedMultiplyAdd(Vector128.Load(wr + i + 12), Vector128.Load(xt + i + 12), d);
                }

                y[(t * yStride) + r] = Lanes.Sum(Vector256.Create(a, b), Vector256.Create(c, d));
            }
        }
    }
}
