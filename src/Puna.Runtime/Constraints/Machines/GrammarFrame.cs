using System.Runtime.CompilerServices;

namespace Puna.Runtime.Constraints.Machines;

/// <summary>What a rule still has to read: Sequence from Position on.</summary>
internal sealed class GrammarFrame : Frame
{
    public GrammarFrame(Frame? parent, GrammarSymbol[] sequence, int position)
        : base(parent)
    {
        Sequence = sequence;
        Position = position;
        Hash = HashCode.Combine(parent?.Hash, RuntimeHelpers.GetHashCode(sequence), position);
    }

    public GrammarSymbol[] Sequence { get; }

    public int Position { get; }

    protected override bool SameTop(Frame other) => other is GrammarFrame frame && ReferenceEquals(Sequence, frame.Sequence) && Position == frame.Position;
}
