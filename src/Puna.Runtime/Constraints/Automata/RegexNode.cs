namespace Puna.Runtime.Constraints.Automata;

/// <summary>A part of a regular expression.</summary>
internal abstract record RegexNode
{
    public sealed record Set(CodePointSet Points) : RegexNode;

    public sealed record Sequence(IReadOnlyList<RegexNode> Parts) : RegexNode;

    public sealed record Choice(IReadOnlyList<RegexNode> Parts) : RegexNode;

    /// <summary>At least Min and at most Max (null: no bound) times.</summary>
    public sealed record Repeat(RegexNode Part, int Min, int? Max) : RegexNode;

    /// <summary>The beginning (^) or the end ($) of the text.</summary>
    public sealed record Anchor(bool End) : RegexNode;

    public static RegexNode Empty { get; } = new Sequence([]);
}
