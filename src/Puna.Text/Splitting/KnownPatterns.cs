namespace Puna.Text.Splitting;

/// <summary>The split patterns that have a hand-written scanner, as <c>tokenizer.json</c> files spell them.</summary>
internal static class KnownPatterns
{
    /// <summary>Llama 3 (spec llama1-3.md 5.3).</summary>
    public const string Llama3 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>Llama 4 (spec llama4.md 6.1).</summary>
    public const string Llama4 =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        + @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>GPT-2, in the <c>ByteLevel</c> pre-tokenizer.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The scanner of a pattern, or null.</summary>
    public static PieceScanner? Scanner(string pattern) => pattern switch
    {
        Llama3 => Llama3Scanner.Instance,
        Llama4 => Llama4Scanner.Instance,
        Gpt2 => Gpt2Scanner.Instance,
        _ => null,
    };
}
