using Puna.Tensors;

namespace Puna.Text;

/// <summary>
/// Prompts that ask for the text between a prefix and a suffix, for models with tokens for it: Code Llama 7B, 13B and 70B (spec llama1-3.md 5.2, 6.3).
/// Prefix and suffix are data: no special token is recognised in them.
/// </summary>
public static class Infilling
{
    // A character that no piece joins to others: what SentencePiece puts in front of a text goes in front of it.
    private const string Guard = "☺";

    /// <summary>Whether a tokenizer has the tokens.</summary>
    public static bool IsSupported(Tokenizer tokenizer) =>
        tokenizer.Roles.FimPrefix is not null && tokenizer.Roles.FimSuffix is not null && tokenizer.Roles.FimMiddle is not null;

    /// <summary>The prompt, which the middle is to follow.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="prefix">The text before.</param>
    /// <param name="suffix">The text after.</param>
    /// <param name="suffixFirst">Whether the suffix comes first (suffix-prefix-middle), so that the middle follows the prefix directly.</param>
    /// <exception cref="PunaException">The tokenizer lacks a token.</exception>
    public static int[] Encode(Tokenizer tokenizer, string prefix, string suffix, bool suffixFirst = false)
    {
        TokenRoles roles = tokenizer.Roles;
        int before = Require(roles.FimPrefix, "before a prefix"), after = Require(roles.FimSuffix, "before a suffix"), middle = Require(roles.FimMiddle, "before the middle");
        var ids = new List<int>();
        if (tokenizer.BosId is int bos)
        {
            ids.Add(bos);
        }

        ids.Add(before);
        if (suffixFirst)
        {
            ids.Add(after);
            EncodeInside(tokenizer, suffix, ids);
            ids.Add(middle);
            tokenizer.Encode(prefix, ids);
        }
        else
        {
            tokenizer.Encode(prefix, ids);
            ids.Add(after);
            EncodeInside(tokenizer, suffix, ids);
            ids.Add(middle);
        }

        return [.. ids];
    }

    /// <summary>The ids of a text that does not begin one: SentencePiece puts no space in front of it.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="text">The text.</param>
    /// <param name="ids">Receives the ids.</param>
    public static void EncodeInside(Tokenizer tokenizer, string text, List<int> ids)
    {
        int[] guard = tokenizer.Encode(Guard), whole = tokenizer.Encode(Guard + text);
        if (!whole.AsSpan().StartsWith(guard))
        {
            throw new PunaException($"tokenizer: expected {Guard} to be a token of its own in front of a text, got one that joins them");
        }

        ids.AddRange(whole.AsSpan(guard.Length));
    }

    /// <summary>The text of ids that do not begin a text: a space in front is kept.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="ids">The ids.</param>
    public static string Decode(Tokenizer tokenizer, ReadOnlySpan<int> ids)
    {
        string text = tokenizer.Decode([.. tokenizer.Encode(Guard), .. ids], skipSpecial: true);
        return text.StartsWith(Guard, StringComparison.Ordinal) ? text[Guard.Length..] : text;
    }

    /// <summary>The ids that end the middle, ascending: the token for that, and those that end a text.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    public static IReadOnlyList<int> StopIds(Tokenizer tokenizer) =>
        [.. new SortedSet<int>(tokenizer.Roles.FimEnd is int end ? [.. tokenizer.StopIds, end] : tokenizer.StopIds)];

    private static int Require(int? id, string what) =>
        id ?? throw new PunaException($"tokenizer: expected a token that stands {what}, got none (infilling)");
}
