namespace Puna.Text.Splitting.Patterns;

/// <summary>Places a match may go back to; grows on the heap, and only once something is pushed.</summary>
internal struct BackStack
{
    private Frame[]? _frames;
    private int _count;

    /// <summary>Notes a place.</summary>
    public void Push(int step, int at, int least, CodePointSet? lazy = null, int more = 0)
    {
        _frames ??= new Frame[16];
        if (_count == _frames.Length)
        {
            Array.Resize(ref _frames, _count * 2);
        }

        _frames[_count++] = new Frame(step, at, least, lazy, more);
    }

    /// <summary>Takes the place noted last.</summary>
    public bool TryPop(out Frame frame)
    {
        frame = _count > 0 ? _frames![--_count] : default;
        return frame.Step > 0;
    }

    /// <summary>A place to go back to; the step is never 0, because only a later one can be gone back to.</summary>
    /// <param name="Step">Where to go on.</param>
    /// <param name="At">Place in the text.</param>
    /// <param name="Least">Where a greedy run must not shrink below; -1 for none.</param>
    /// <param name="Lazy">What a lazy run may take one more of.</param>
    /// <param name="More">How many more it may take; -1 for any number.</param>
    internal readonly record struct Frame(int Step, int At, int Least, CodePointSet? Lazy, int More);
}
