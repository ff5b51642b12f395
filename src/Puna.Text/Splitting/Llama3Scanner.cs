namespace Puna.Text.Splitting;

/// <summary>
/// The split pattern of Llama 3 (spec llama1-3.md 5.3):
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class Llama3Scanner : PieceScanner
{
    /// <summary>The only instance.</summary>
    public static Llama3Scanner Instance { get; } = new();

    /// <inheritdoc/>
    public override int Next(ReadOnlySpan<byte> text, int start)
    {
        int flags = CharClasses.At(text, start, out int length);
        int at = start + length;
        if ((flags & CharClasses.Letter) != 0)
        {
            return Run(text, at, CharClasses.Letter);
        }

        if ((flags & CharClasses.Number) != 0)
        {
            return UpToThreeNumbers(text, start);
        }

        int end = Contraction(text, start);
        if (end > start)
        {
            return end;
        }

        int next = at < text.Length ? CharClasses.At(text, at, out length) : CharClasses.Space;
        if ((next & CharClasses.Letter) != 0 && (flags & CharClasses.NewLine) == 0)
        {
            return Run(text, at + length, CharClasses.Letter);
        }

        if ((flags & CharClasses.Space) != 0)
        {
            if (text[start] != ' ' || (next & CharClasses.Named) != 0)
            {
                return WhiteSpace(text, start);
            }

            at += length;
        }

        return Run(text, RunWithout(text, at, CharClasses.Named), CharClasses.NewLine);
    }
}
