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

    /// <inheritdoc/>
    public void Run(byte[] input) => ConstraintUse.Run(input, (text, vocabulary, limits) => GrammarConstraint.Compile(text, vocabulary, limits));
}
