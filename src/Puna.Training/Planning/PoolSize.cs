namespace Puna.Training.Planning;

/// <summary>How much the tape's pool of gradients would hold: its rules without its memory.</summary>
internal sealed class PoolSize
{
    private const long SmallestBuffer = 4096;

    private readonly List<Buffer> _free = [];

    /// <summary>Bytes held from the system.</summary>
    public long Bytes { get; private set; }

    /// <summary>Takes a buffer for float32 values: a free one of at most twice the size, or a new one with a sixteenth more.</summary>
    public object Rent(long floats)
    {
        long bytes = floats * sizeof(float);
        Buffer? best = _free.Where(b => b.Bytes >= bytes && b.Bytes / 2 <= bytes).MinBy(static b => b.Bytes);
        if (best is not null)
        {
            _free.Remove(best);
            return best;
        }

        best = new Buffer(Math.Max(bytes + (bytes / 16), SmallestBuffer));
        Bytes += best.Bytes;
        return best;
    }

    /// <summary>Gives a buffer back.</summary>
    public void Return(object buffer) => _free.Add((Buffer)buffer);

    private sealed class Buffer(long bytes)
    {
        public long Bytes => bytes;
    }
}
