using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// The fixed shape of every sum over a row: value k goes to lane k mod 16, lanes are added pairwise (i with i + 8, then 4, 2, 1). The same tree for every vector
/// width and every tiling is what makes a row's result independent of its neighbours, of the machine and of the number of threads.
/// </summary>
internal static unsafe class Lanes
{
    public const int Count = 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> v) => Sum(v.GetLower() + v.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> low, Vector256<float> high) => Sum(low + high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> eight)
    {
        Vector128<float> four = eight.GetLower() + eight.GetUpper();
        Vector128<float> two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 2, 3));
        return two.GetElement(0) + two.GetElement(1);
    }

    public static float Sum(float* sixteen)
    {
        float* lanes = stackalloc float[8];
        for (int i = 0; i < 8; i++)
        {
            lanes[i] = sixteen[i] + sixteen[i + 8];
        }

        for (int i = 0; i < 4; i++)
        {
            lanes[i] += lanes[i + 4];
        }

        return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
    }
}
