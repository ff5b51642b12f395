using System.Numerics;

namespace Puna.Runtime.Constraints.Machines;

/// <summary>A set of configurations and, as they become known, the sets that follow each byte.</summary>
/// <param name="configurations">The readings.</param>
/// <param name="accepting">Whether the text is complete.</param>
/// <param name="weight">Steps that following any byte takes.</param>
internal sealed class LazyState(Configuration[] configurations, bool accepting, int weight)
{
    private ulong _known0;
    private ulong _known1;
    private ulong _known2;
    private ulong _known3;
    private ulong _live0;
    private ulong _live1;
    private ulong _live2;
    private ulong _live3;
    private LazyState[] _next = [];
    private int[]? _extra;
    private long _visit;
    private ulong _visited0;
    private ulong _visited1;
    private ulong _visited2;
    private ulong _visited3;

    public Configuration[] Configurations { get; } = configurations;

    public bool Accepting { get; } = accepting;

    /// <summary>Steps that following any byte takes.</summary>
    public int Weight { get; } = weight;

    /// <summary>The mask of the tokens that may follow, once it was asked for.</summary>
    public uint[]? Mask { get; set; }

    /// <summary>Steps that the mask takes.</summary>
    public int MaskSteps { get; set; }

    /// <summary>Whether steps of some bytes beyond <see cref="Weight"/> are kept.</summary>
    public bool HasExtra => _extra is not null;

    /// <summary>Notes that a byte is followed, and says whether that is the first time.</summary>
    /// <param name="visit">The number of the mask; a greater one forgets what was noted before.</param>
    /// <param name="b">The byte.</param>
    public bool Visit(long visit, byte b)
    {
        if (_visit != visit)
        {
            (_visit, _visited0, _visited1, _visited2, _visited3) = (visit, 0, 0, 0, 0);
        }

        ulong bit = 1UL << (b & 63);
        ref ulong visited = ref _visited0;
        switch (b >> 6)
        {
            case 1:
                visited = ref _visited1;
                break;
            case 2:
                visited = ref _visited2;
                break;
            case 3:
                visited = ref _visited3;
                break;
        }

        bool isFirst = (visited & bit) == 0;
        visited |= bit;
        return isFirst;
    }

    /// <summary>Steps that following a byte takes; known once the byte is.</summary>
    public int Steps(byte b) => _extra is null ? Weight : Weight + _extra[b];

    /// <summary>Keeps steps of a byte beyond <see cref="Weight"/>.</summary>
    public void SetExtra(byte b, int steps) => (_extra ??= new int[256])[b] = steps;

    /// <summary>Whether the step is known; the state is null where the byte is not allowed.</summary>
    public bool TryNext(byte b, out LazyState? state)
    {
        ulong bit = 1UL << (b & 63);
        (ulong known, ulong live, int before) = (b >> 6) switch
        {
            0 => (_known0, _live0, 0),
            1 => (_known1, _live1, BitOperations.PopCount(_live0)),
            2 => (_known2, _live2, BitOperations.PopCount(_live0) + BitOperations.PopCount(_live1)),
            _ => (_known3, _live3, BitOperations.PopCount(_live0) + BitOperations.PopCount(_live1) + BitOperations.PopCount(_live2)),
        };
        state = (live & bit) == 0 ? null : _next[before + BitOperations.PopCount(live & (bit - 1))];
        return (known & bit) != 0;
    }

    public void Set(byte b, LazyState? state)
    {
        ulong bit = 1UL << (b & 63);
        ref ulong known = ref _known0;
        ref ulong live = ref _live0;
        int before = 0;
        switch (b >> 6)
        {
            case 1:
                known = ref _known1;
                live = ref _live1;
                before = BitOperations.PopCount(_live0);
                break;
            case 2:
                known = ref _known2;
                live = ref _live2;
                before = BitOperations.PopCount(_live0) + BitOperations.PopCount(_live1);
                break;
            case 3:
                known = ref _known3;
                live = ref _live3;
                before = BitOperations.PopCount(_live0) + BitOperations.PopCount(_live1) + BitOperations.PopCount(_live2);
                break;
        }

        known |= bit;
        if (state is not null)
        {
            int index = before + BitOperations.PopCount(live & (bit - 1));
            var grown = new LazyState[_next.Length + 1];
            _next.AsSpan(0, index).CopyTo(grown);
            grown[index] = state;
            _next.AsSpan(index).CopyTo(grown.AsSpan(index + 1));
            _next = grown;
            live |= bit;
        }
    }
}
