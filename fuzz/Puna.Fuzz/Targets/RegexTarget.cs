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

    /// <inheritdoc/>
    public void Run(byte[] input) => ConstraintUse.Run(input, (text, vocabulary, limits) => RegexConstraint.Compile(text, vocabulary, limits));
}
