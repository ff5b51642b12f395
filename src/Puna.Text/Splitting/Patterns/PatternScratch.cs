namespace Puna.Text.Splitting.Patterns;

/// <summary>What matching needs while it runs over one text: the steps that are left, and places to go back to. Not thread-safe.</summary>
/// <param name="budget">Steps that may be spent; see <see cref="SplitPattern.Budget"/>.</param>
internal sealed class PatternScratch(long budget)
{
    private Frame[] _frames = new Frame[16];

    /// <summary>Steps that may still be spent.</summary>
    public long Budget { get; set; } = budget;

    /// <summary>How many places are noted.</summary>
    public int Count { get; set; }

    /// <summary>Notes a place.</summary>
    public void Push(int step, int at, int least, CodePointSet? lazy = null, int more = 0)
    {
        if (Count == _frames.Length)
        {
            Array.Resize(ref _frames, Count * 2);
        }

        _frames[Count++] = new Frame(step, at, least, lazy, more);
    }

    /// <summary>Takes the place noted last, if there are more than <paramref name="floor"/>.</summary>
    public bool TryPop(int floor, out Frame frame)
    {
        if (Count == floor)
        {
            frame = default;
            return false;
        }

        frame = _frames[--Count];
        return true;
    }

    /// <summary>A place to go back to.</summary>
    /// <param name="Step">Where to go on.</param>
    /// <param name="At">Place in the text.</param>
    /// <param name="Least">Where a greedy run must not shrink below; -1 for none.</param>
    /// <param name="Lazy">What a lazy run may take one more of.</param>
    /// <param name="More">How many more it may take; -1 for any number.</param>
    internal readonly record struct Frame(int Step, int At, int Least, CodePointSet? Lazy, int More);
}
