namespace Puna.Text.Splitting;

/// <summary>
/// The split pattern of GPT-2, which <c>ByteLevel</c> pre-tokenizers use: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class Gpt2Scanner : PieceScanner
{
    /// <summary>The only instance.</summary>
    public static Gpt2Scanner Instance { get; } = new();

    /// <inheritdoc/>
    public override int Next(ReadOnlySpan<byte> text, int start)
    {
        int end = Contraction(text, start);
        if (end > start)
        {
            ReadOnlySpan<byte> letters = text[(start + 1)..end];
            if (letters.IndexOfAnyExceptInRange((byte)'a', (byte)'z') < 0)
            {
                return end;
            }
        }

        int at = start;
        int flags = CharClasses.At(text, at, out int length);
        if (text[start] == ' ' && start + 1 < text.Length)
        {
            at++;
            flags = CharClasses.At(text, at, out length);
        }

        if ((flags & CharClasses.Letter) != 0)
        {
            return Run(text, at + length, CharClasses.Letter);
        }

        if ((flags & CharClasses.Number) != 0)
        {
            return Run(text, at + length, CharClasses.Number);
        }

        return (flags & CharClasses.Space) != 0 ? WhiteSpace(text, start, lines: false) : RunWithout(text, at + length, CharClasses.Named);
    }
}
