namespace Puna.Safety.LlamaGuard;

/// <summary>A Llama Guard's answer, read.</summary>
/// <param name="State">What it comes to.</param>
/// <param name="Categories">Codes of what was found, in the order of the answer, each once.</param>
/// <param name="Output">The answer as it came.</param>
/// <param name="Score">Probability that the answer begins with <c>unsafe</c>; null where it was not measured.</param>
public sealed record GuardVerdict(GuardState State, IReadOnlyList<string> Categories, string Output, double? Score = null)
{
    private const int MostDigits = 3;

    /// <summary>Whether a filter may let the message pass: only where the answer is clearly <c>safe</c>.</summary>
    public bool IsAllowed => State == GuardState.Safe;

    /// <summary>
    /// Reads an answer: <c>safe</c>, or <c>unsafe</c> and below it codes with commas between. White space at the ends, around lines and around codes is passed over, and nothing else: every other word, other
    /// letter case, more lines, or <c>unsafe</c> without codes in the second line where there is one, is no verdict.
    /// </summary>
    public static GuardVerdict Parse(string output)
    {
        string[] lines = [.. output.Split('\n').Select(static line => line.Trim()).Where(static line => line.Length > 0)];
        if (lines is ["safe"])
        {
            return new GuardVerdict(GuardState.Safe, [], output);
        }

        if (lines is ["unsafe"])
        {
            return new GuardVerdict(GuardState.Unsafe, [], output);
        }

        if (lines is ["unsafe", string list])
        {
            string[] codes = [.. list.Split(',').Select(static code => code.Trim())];
            if (codes.All(IsCode))
            {
                return new GuardVerdict(GuardState.Unsafe, [.. codes.Distinct(StringComparer.Ordinal)], output);
            }
        }

        return new GuardVerdict(GuardState.Malformed, [], output);
    }

    /// <summary>
    /// The verdict where a probability decides instead of the words: unsafe from the threshold on, else safe. Categories are kept. An answer that is no verdict stays none, since what the probability is one of is then unknown.
    /// </summary>
    public GuardVerdict ByScore(double threshold) => State == GuardState.Malformed || Score is not double score ? this
        : score >= threshold ? this with { State = GuardState.Unsafe }
        : this with { State = GuardState.Safe, Categories = [] };

    /// <summary>The verdict without some categories: safe where nothing else was found (as llama-stack's <c>excluded_categories</c>). One that names no category stays.</summary>
    public GuardVerdict Without(IReadOnlyCollection<string> excluded)
    {
        string[] rest = [.. Categories.Where(code => !excluded.Contains(code))];
        return State == GuardState.Unsafe && Categories.Count > 0 && rest.Length == 0
            ? this with { State = GuardState.Safe, Categories = [] }
            : this with { Categories = rest };
    }

    /// <summary>Whether a text is the code of a category: a capital letter and a number.</summary>
    internal static bool IsCode(string text) =>
        text.Length is >= 2 and <= 1 + MostDigits && char.IsAsciiLetterUpper(text[0]) && text.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0;
}
