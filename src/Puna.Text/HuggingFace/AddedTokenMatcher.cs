using Puna.Text.Splitting;
using Puna.Text.Splitting.Patterns;
using Puna.Text.Vocabularies;

namespace Puna.Text.HuggingFace;

/// <summary>Finds added tokens in a text, from left to right, the longest first, with the conditions each of them has.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly SpecialMatcher _matcher;
    private readonly Dictionary<int, AddedToken> _tokens = [];

    /// <summary>Creates a matcher.</summary>
    /// <param name="tokens">The tokens with the text each is found by.</param>
    public AddedTokenMatcher(IEnumerable<(AddedToken Token, string Text)> tokens)
    {
        var entries = new List<SpecialMatcher.Entry>();
        foreach ((AddedToken token, string text) in tokens)
        {
            entries.Add(new SpecialMatcher.Entry(text, token.Id, token.Content, !token.Special));
            _tokens.TryAdd(token.Id, token);
        }

        _matcher = new SpecialMatcher(entries);
    }

    /// <summary>Whether there is nothing to find.</summary>
    public bool IsEmpty => _matcher.Count == 0;

    /// <summary>The next token.</summary>
    /// <param name="text">Well-formed UTF-8.</param>
    /// <param name="at">Where to look from; afterwards, where to look for the one behind.</param>
    /// <param name="done">End of what has been dealt with; white space before it is not taken again.</param>
    /// <param name="allowed">Which special tokens are looked for.</param>
    /// <param name="start">Start of the token with the white space it takes; the end of the text where there is none.</param>
    /// <param name="end">Its end.</param>
    /// <returns>Its id, or -1.</returns>
    public int Next(ReadOnlySpan<byte> text, ref int at, int done, SpecialTokens allowed, out int start, out int end)
    {
        while (true)
        {
            int id = _matcher.Next(text, at, allowed, out start, out int length);
            end = start + length;
            at = end;
            if (id < 0)
            {
                return -1;
            }

            AddedToken token = _tokens[id];
            if (token.SingleWord && ((start > 0 && IsWord(text, Utf8Text.Previous(text, start))) || IsWord(text, end)))
            {
                continue;
            }

            while (token.StripLeft && start > done && IsSpace(text, Utf8Text.Previous(text, start)))
            {
                start = Utf8Text.Previous(text, start);
            }

            while (token.StripRight && IsSpace(text, end))
            {
                end += Utf8Text.Length(text[end]);
            }

            return id;
        }
    }

    private static bool IsSpace(ReadOnlySpan<byte> text, int at) => at < text.Length && (CharClasses.At(text, at, out _) & CharClasses.Space) != 0;

    private static bool IsWord(ReadOnlySpan<byte> text, int at) => at < text.Length && CodePointSet.Word.Contains(Utf8Text.Scalar(text, at, out _));
}
