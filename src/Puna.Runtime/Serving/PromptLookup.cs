namespace Puna.Runtime.Serving;

/// <summary>
/// Guesses how a text goes on by what followed the same tokens before: answers repeat their questions, code its names. A guess costs a row of the next pass; the text is the
/// same whether guesses are right or not, because each is compared with the token that is drawn at its place anyway.
/// </summary>
internal static class PromptLookup
{
    /// <summary>Most guesses per step.</summary>
    public const int Most = 16;

    private const int Longest = 4;
    private const int Shortest = 2;

    /// <summary>Guesses the next tokens.</summary>
    /// <param name="tokens">The text.</param>
    /// <param name="guesses">Receives them; its length is how many are wanted.</param>
    /// <returns>How many there are.</returns>
    public static int Guess(ReadOnlySpan<int> tokens, Span<int> guesses)
    {
        for (int length = Longest; length >= Shortest && !guesses.IsEmpty; length--)
        {
            if (tokens.Length <= length)
            {
                continue;
            }

            int at = tokens[..^1].LastIndexOf(tokens[^length..]);
            if (at >= 0)
            {
                ReadOnlySpan<int> next = tokens[(at + length)..];
                int count = Math.Min(next.Length, guesses.Length);
                next[..count].CopyTo(guesses);
                return count;
            }
        }

        return 0;
    }
}
