using Puna.Text.Splitting;

namespace Puna.Text.Training;

/// <summary>Words of byte-level tokenizers: what a split pattern cuts a text into.</summary>
/// <param name="splitter">The pattern.</param>
internal sealed class ByteWords(TextSplitter splitter) : WordSplitter
{
    /// <inheritdoc/>
    /// <remarks>
    /// The patterns with a scanner (GPT-2's, Llama 3's, Llama 4's) never have a letter and what follows it in one piece unless that is a letter, a mark or an apostrophe, and never look
    /// behind or ahead there. Of another pattern nothing is known; a text is then cut where a line starts.
    /// </remarks>
    public override int Cut(ReadOnlySpan<byte> text, int from)
    {
        const int Joins = CharClasses.Letter | CharClasses.Upper | CharClasses.Lower;
        int next = Joins;
        for (int at = text.Length; at > Math.Max(from, 1);)
        {
            int before = Utf8Text.Previous(text, at);
            int flags = CharClasses.At(text, before, out _);
            bool cut = splitter.Scanner is not null
                ? (flags & CharClasses.Letter) != 0 && (next & Joins) == 0 && text[at] != '\''
                : text[before] == '\n' && at < text.Length && (next & CharClasses.Space) == 0;
            if (cut)
            {
                return at;
            }

            (at, next) = (before, flags);
        }

        return 0;
    }

    /// <inheritdoc/>
    public override bool CutBegins(ReadOnlySpan<byte> part) => false;

    /// <inheritdoc/>
    public override void Count(byte[] bytes, int start, int end, bool begins, WordTable words)
    {
        ReadOnlySpan<byte> text = bytes.AsSpan(start, end - start);
        if (splitter.Scanner is PieceScanner scanner)
        {
            for (int at = 0; at < text.Length;)
            {
                int next = scanner.Next(text, at);
                words.Add(text[at..next]);
                at = next;
            }

            return;
        }

        foreach ((int first, int last) in splitter.Split(text))
        {
            words.Add(text[first..last]);
        }
    }
}
