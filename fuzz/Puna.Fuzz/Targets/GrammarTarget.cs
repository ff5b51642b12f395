using System.Text;
using Puna.Runtime.Constraints;

namespace Puna.Fuzz.Targets;

/// <summary>Grammars of constraints.</summary>
public sealed class GrammarTarget : IFuzzTarget
{
    /// <inheritdoc/>
    public string Name => "grammar";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        .. ((string[])["root ::= \"a\" item* | (\"b\" | [^c-e\\n])+ # end\nitem ::= \"(\" item{0,2} \")\" | .\n", "root = sum ;\nsum ::= [0-9]+ (\"+\" sum)?\n", "root ::= \"\\x41\" \"\\u00e9\"{2,}\n"]).Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly string[] Pieces =
    [
        "root", "item", "sum", " ::= ", " = ", " : ", ";", "\n", "\n\n", "|", "(", ")", "((((((((", "*", "+", "?", "{2}", "{0,}", "{1,300}", "{999999999999}", "{3,1}", "\"a\"", "\"\"", "\"\\n\"", "\"\\x41\"", "\"\\ud800\"", "\"\\U0001F600\"", "\"", "[a-z]",
        "[^\\n]", "[z-a]", "[]", "[^]", "[", "]", "\\", ".", "# note\n", "#", "x ::= x \"a\"\n", "y ::= \"\" | y\n", "z ::= (z)* \"b\"\n", " x ", " y ", " z ", "root ::= root\n", "\u00e9", "\uD83E\uDD99", "-", "_", "1", "\t", "\r\n",
    ];

    /// <inheritdoc/>
    public byte[]? MutateStructure(FuzzRandom random, byte[] input) => ConstraintUse.Splice(random, input, Pieces);

    /// <inheritdoc/>
    public void Run(byte[] input) => ConstraintUse.Run(input, (text, vocabulary, limits) => GrammarConstraint.Compile(text, vocabulary, limits));
}
