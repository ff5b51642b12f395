namespace Puna.Runtime.Constraints.Machines;

/// <summary>An open container or rule: an immutable stack whose top is this. Equal frames have equal parents.</summary>
internal abstract class Frame(Frame? parent)
{
    public Frame? Parent { get; } = parent;

    public int Depth { get; } = parent is null ? 1 : parent.Depth + 1;

    public int Hash { get; protected init; }

    /// <summary>About how many bytes it takes without its parents.</summary>
    public virtual int Bytes => 64;

    /// <summary>Whether an automaton has counted its bytes; under that one's lock.</summary>
    public bool IsCounted { get; set; }

    /// <summary>Whether the frames are the same apart from their parents.</summary>
    protected abstract bool SameTop(Frame other);

    public static bool Same(Frame? a, Frame? b)
    {
        while (!ReferenceEquals(a, b))
        {
            if (a is null || b is null || a.Hash != b.Hash || a.Depth != b.Depth || !a.SameTop(b))
            {
                return false;
            }

            (a, b) = (a.Parent, b.Parent);
        }

        return true;
    }
}
