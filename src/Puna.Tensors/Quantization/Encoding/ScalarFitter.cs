namespace Puna.Tensors.Quantization.Encoding;

/// <summary>Group after group: the definition that <c>LaneFitter</c> is tested against.</summary>
internal readonly struct ScalarFitter : IGroupFitter
{
    public static void Affine(
        in AffineFit fit, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> scales, Span<float> minima, Span<byte> n)
    {
        Span<byte> trial = stackalloc byte[32];
        int size = values.Length / scales.Length;
        for (int g = 0; g < scales.Length; g++)
        {
            scales[g] = fit.Fit(values.Slice(size * g, size), weights.Slice(size * g, size), n.Slice(size * g, size), trial[..size], out minima[g]);
        }
    }

    public static void Search(ReadOnlySpan<float> values, int half, Span<float> scales, Span<byte> n)
    {
        int size = values.Length / scales.Length;
        for (int g = 0; g < scales.Length; g++)
        {
            scales[g] = SymmetricFit.Search(values.Slice(size * g, size), half, n.Slice(size * g, size));
        }
    }

    public static void Descend(ReadOnlySpan<float> values, int half, Span<float> scales, Span<byte> n)
    {
        int size = values.Length / scales.Length;
        for (int g = 0; g < scales.Length; g++)
        {
            scales[g] = SymmetricFit.Descend(values.Slice(size * g, size), half, n.Slice(size * g, size));
        }
    }
}
