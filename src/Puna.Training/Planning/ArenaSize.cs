namespace Puna.Training.Planning;

/// <summary>How much a <see cref="Puna.Tensors.Arena"/> would hold: its rules without its memory.</summary>
internal sealed class ArenaSize
{
    private const long Alignment = 64;
    private const long SmallestSlab = 1 << 20;

    private readonly List<long> _slabs = [];
    private int _slab;
    private long _offset;

    /// <summary>Bytes held from the system.</summary>
    public long Bytes => _slabs.Sum();

    /// <summary>Bytes given out and not taken back.</summary>
    public long Used { get; private set; }

    /// <summary>Gives out float32 values.</summary>
    public void Allocate(long floats)
    {
        long bytes = ((floats * sizeof(float)) + Alignment - 1) / Alignment * Alignment;
        while (_slab < _slabs.Count && bytes > _slabs[_slab] - _offset)
        {
            _slab++;
            _offset = 0;
        }

        if (_slab == _slabs.Count)
        {
            _slabs.Add(Math.Max(bytes, _slabs.Count == 0 ? SmallestSlab : Math.Max(SmallestSlab, _slabs[^1])));
        }

        _offset += bytes;
        Used += bytes;
    }

    /// <summary>Does something and takes back what it was given.</summary>
    /// <returns>Bytes that it was given at its end.</returns>
    public long Scope(Action work)
    {
        (int slab, long offset, long used) = (_slab, _offset, Used);
        work();
        long given = Used - used;
        (_slab, _offset, Used) = (slab, offset, used);
        return given;
    }
}
