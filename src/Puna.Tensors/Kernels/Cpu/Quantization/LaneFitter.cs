using System.Runtime.Intrinsics;
using Puna.Tensors.Quantization.Encoding;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>
/// Eight groups at a time, one per vector lane. A group's arithmetic and its order are those of <see cref="ScalarFitter"/>, so the bits are too; where the
/// scalar code branches, a lane keeps its old value under a mask.
/// </summary>
internal readonly struct LaneFitter : IGroupFitter
{
    public static void Affine(
        in AffineFit fit, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> scales, Span<float> minima, Span<byte> n)
    {
        int size = values.Length / scales.Length;
        Span<Vector256<float>> x = stackalloc Vector256<float>[size];
        Span<Vector256<float>> w = stackalloc Vector256<float>[size];
        Span<Vector256<float>> q = stackalloc Vector256<float>[size];
        for (int g = 0; g < scales.Length; g += GroupLanes.Width)
        {
            int count = size * GroupLanes.Width;
            GroupLanes.Transpose(values.Slice(size * g, count), x);
            GroupLanes.Transpose(weights.Slice(size * g, count), w);
            AffineLanes.Fit(fit, x, w, q, scales.Slice(g, GroupLanes.Width), minima.Slice(g, GroupLanes.Width));
            GroupLanes.Transpose(q, n.Slice(size * g, count));
        }
    }

    public static void Search(ReadOnlySpan<float> values, int half, Span<float> scales, Span<byte> n)
    {
        int size = values.Length / scales.Length;
        Span<Vector256<float>> x = stackalloc Vector256<float>[size];
        Span<Vector256<float>> q = stackalloc Vector256<float>[size];
        for (int g = 0; g < scales.Length; g += GroupLanes.Width)
        {
            GroupLanes.Transpose(values.Slice(size * g, size * GroupLanes.Width), x);
            SymmetricLanes.Search(x, half, q).CopyTo(scales.Slice(g, GroupLanes.Width));
            GroupLanes.Transpose(q, n.Slice(size * g, size * GroupLanes.Width));
        }
    }

    public static void Descend(ReadOnlySpan<float> values, int half, Span<float> scales, Span<byte> n)
    {
        int size = values.Length / scales.Length;
        Span<Vector256<float>> x = stackalloc Vector256<float>[size];
        Span<Vector256<float>> q = stackalloc Vector256<float>[size];
        for (int g = 0; g < scales.Length; g += GroupLanes.Width)
        {
            GroupLanes.Transpose(values.Slice(size * g, size * GroupLanes.Width), x);
            SymmetricLanes.Descend(x, half, q).CopyTo(scales.Slice(g, GroupLanes.Width));
            GroupLanes.Transpose(q, n.Slice(size * g, size * GroupLanes.Width));
        }
    }
}
