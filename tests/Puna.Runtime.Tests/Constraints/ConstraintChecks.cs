using System.Text;
using Puna.Runtime.Constraints;

namespace Puna.Runtime.Tests.Constraints;

/// <summary>A small vocabulary, and texts walked through constraints with it.</summary>
internal static class ConstraintChecks
{
    public const int End = 256;

    private static readonly string[] Longer =
    [
        "\"", "\",", "\":", "\": ", "{\"", "\"}", "\"]", "{}", "[]", "[[", "]]", "},", "null", "true", "false", "abc", "ab", "a\"", " a", "12", "100", "0.5", ".5", "-1", "e5",
        ", \"", "\n  ", "\\n", "\\u00", "é", "日本", "a\":1", "\":\"", "x\":{\"", "1,", "1]", "1}", "\":1,\"", "e\":", "\\\"", "n\\", "{\"a\":",
    ];

    /// <summary>Every byte, an end token, some longer tokens (two of them of the same bytes as others), and pieces of characters.</summary>
    public static VocabularyTrie Vocabulary { get; } = VocabularyTrie.Create(
        [
            .. Enumerable.Range(0, 256).Select(b => (byte[])[(byte)b]),
            [],
            .. Longer.Select(Encoding.UTF8.GetBytes),
            [0xE6, 0x97], [0xA5, (byte)'"'], [(byte)'a', 0xC3], [0xED, 0xA0], [0xC3, 0xA9, 0xC3],
        ],
        [End]);

    public static JsonSchemaConstraint JsonSchema(string text) => JsonSchemaConstraint.Compile(text, Vocabulary, cancellation: TestContext.Current.CancellationToken);

    public static RegexConstraint Regex(string text) => RegexConstraint.Compile(text, Vocabulary, cancellation: TestContext.Current.CancellationToken);

    public static GrammarConstraint Grammar(string text) => GrammarConstraint.Compile(text, Vocabulary, cancellation: TestContext.Current.CancellationToken);

    public static bool Accepts(ITokenConstraint constraint, string text)
    {
        ConstraintState state = constraint.Start();
        uint[] mask = new uint[Vocabulary.Words];
        foreach (byte b in Encoding.UTF8.GetBytes(text))
        {
            // The mask and the state are two ways through the machine: they must agree.
            state.FillMask(mask);
            bool accepted = state.TryAccept(b);
            Assert.Equal(Allowed(mask, b), accepted);
            if (!accepted)
            {
                return false;
            }
        }

        state.FillMask(mask);
        Assert.Equal(Allowed(mask, End), state.IsAccepting);
        return state.IsAccepting;
    }

    public static bool Allowed(uint[] mask, int token) => (mask[token >> 5] >> (token & 31) & 1) != 0;
}
