namespace Puna.Text.Splitting.Patterns;

/// <summary>How a repeat takes its turns.</summary>
internal enum RepeatMode
{
    /// <summary>As often as possible, then less.</summary>
    Greedy,

    /// <summary>As seldom as possible, then more.</summary>
    Lazy,

    /// <summary>As often as possible, never less.</summary>
    Possessive,
}

/// <summary>A part of a split pattern.</summary>
internal abstract record PatternNode
{
    private const int Widest = 1_000_000;

    /// <summary>The fewest characters it matches, up to a million.</summary>
    public abstract int MinWidth { get; }

    /// <summary>One character of a set.</summary>
    internal sealed record Set(CodePointSet Members) : PatternNode
    {
        public override int MinWidth => 1;
    }

    /// <summary>One part after the other.</summary>
    internal sealed record Sequence(IReadOnlyList<PatternNode> Parts) : PatternNode
    {
        public override int MinWidth => (int)Math.Min(Widest, Parts.Sum(static p => (long)p.MinWidth));
    }

    /// <summary>The first that matches.</summary>
    internal sealed record Alternatives(IReadOnlyList<PatternNode> Parts) : PatternNode
    {
        public override int MinWidth => Parts.Min(static p => p.MinWidth);
    }

    /// <summary>A part some times; -1 is without limit.</summary>
    internal sealed record Repeat(PatternNode Part, int Min, int Max, RepeatMode Mode) : PatternNode
    {
        public override int MinWidth => (int)Math.Min(Widest, (long)Part.MinWidth * Min);
    }

    /// <summary>What must or must not follow, or (one character only) come before.</summary>
    internal sealed record Look(PatternNode Part, bool Behind, bool Negative) : PatternNode
    {
        public override int MinWidth => 0;
    }

    /// <summary>A part whose first match is final.</summary>
    internal sealed record Atomic(PatternNode Part) : PatternNode
    {
        public override int MinWidth => Part.MinWidth;
    }

    /// <summary>A place: <c>^ $ A Z z b B</c> as they are written.</summary>
    internal sealed record Place(char Kind) : PatternNode
    {
        public override int MinWidth => 0;
    }
}
