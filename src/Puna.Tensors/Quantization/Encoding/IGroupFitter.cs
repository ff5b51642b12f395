namespace Puna.Tensors.Quantization.Encoding;

/// <summary>Scales for all groups of a super-block: one by one (the scalar twin) or eight side by side, with the same bits.</summary>
internal interface IGroupFitter
{
    /// <summary><see cref="AffineFit.Fit"/> of every group.</summary>
    /// <param name="fit">The parameters of the search.</param>
    /// <param name="values">All 256 values.</param>
    /// <param name="weights">The weight of an error of each.</param>
    /// <param name="scales">One per group: as many as there are groups.</param>
    /// <param name="minima">What is taken away, one per group.</param>
    /// <param name="n">The integers.</param>
    static abstract void Affine(
        in AffineFit fit, ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> scales, Span<float> minima, Span<byte> n);

    /// <summary><see cref="SymmetricFit.Search"/> of every group.</summary>
    static abstract void Search(ReadOnlySpan<float> values, int half, Span<float> scales, Span<byte> n);

    /// <summary><see cref="SymmetricFit.Descend"/> of every group.</summary>
    static abstract void Descend(ReadOnlySpan<float> values, int half, Span<float> scales, Span<byte> n);
}
