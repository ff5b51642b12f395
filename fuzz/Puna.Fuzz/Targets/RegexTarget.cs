using System.Text;
using Puna.Runtime.Constraints;

namespace Puna.Fuzz.Targets;

/// <summary>Regular expressions of constraints.</summary>
public sealed class RegexTarget : IFuzzTarget
{
    /// <inheritdoc/>
    public string Name => "regex";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
        [.. ((string[])["^(ab|c*)[^x-z\\d]{1,3}?$", "(?:a|\\u00e9)+\\w\\s?", "(?<n>[\\w.-]+)@x\\.[a-z]{2,}", "a{2}|b{0,3}|\\x41\\u{1F600}"]).Select(Encoding.UTF8.GetBytes)];

    private static readonly string[] Pieces =
    [
        "(", ")", "(?:", "(?=", "(?<a>", "(?i)", "|", "*", "+", "?", "*?", "{2}", "{0,}", "{3,1}", "{999999999999}", "{1,400}", "{,2}", "^", "$", "\\b", "\\d", "\\W", "\\s", "\\p{L}", "\\P{Lu}", "\\p{Greek}", "\\p{", "\\u{110000}", "\\ud800",
        "\\ud83e\\udd99", "\\x4", "\\cA", "\\0", "\\1", "\\k<a>", "\\", "[", "]", "[^]", "[]", "[z-a]", "[\\d-x]", "[^\\W\\d]", "[\\u0000-\\u{10FFFF}]", ".", "a", "\u00e9", "\uD83E\uDD99", "-", "/", "(a*)*", "(a|a)*", "(.*){30}", "((((((((", "(x+x+)+y",
    ];

    /// <inheritdoc/>
    public byte[]? MutateStructure(FuzzRandom random, byte[] input) => ConstraintUse.Splice(random, input, Pieces);

    /// <inheritdoc/>
    public void Run(byte[] input) => ConstraintUse.Run(input, (text, vocabulary, limits) => RegexConstraint.Compile(text, vocabulary, limits));
}
