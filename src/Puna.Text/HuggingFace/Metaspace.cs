namespace Puna.Text.HuggingFace;

/// <summary>When the <c>Metaspace</c> pre-tokenizer puts its mark in front of a text that has none.</summary>
internal enum PrependScheme
{
    /// <summary>Before every stretch of text between added tokens.</summary>
    Always,

    /// <summary>Before the very beginning only.</summary>
    First,

    /// <summary>Never.</summary>
    Never,
}

/// <summary>The <c>Metaspace</c> pre-tokenizer or decoder: a mark for every space.</summary>
/// <param name="Mark">The mark, UTF-8; usually ▁.</param>
/// <param name="Scheme">Where a mark is added.</param>
internal sealed record Metaspace(byte[] Mark, PrependScheme Scheme);
