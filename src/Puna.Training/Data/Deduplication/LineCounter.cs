namespace Puna.Training.Data;

/// <summary>
/// Finds lines that occur too often (spec training.md 2.3: more than 6 times in a bucket of 30 million documents). Lines are numbered as they are added; memory is bounded.
/// </summary>
internal sealed class LineCounter : IDisposable
{
    private readonly Func<ExternalSorter> _create;
    private readonly ExternalSorter _lines;
    private readonly int _most;
    private long _count;

    /// <param name="folder">For temporary files.</param>
    /// <param name="memoryBytes">What may be used at any time.</param>
    /// <param name="most">Occurrences that are still allowed.</param>
    /// <param name="stop">Ends the work.</param>
    public LineCounter(string folder, long memoryBytes, int most, CancellationToken stop)
    {
        _create = () => new ExternalSorter(folder, memoryBytes / 2, stop);
        _lines = _create();
        _most = most;
    }

    /// <summary>Adds the next line. White space around it does not count, and an empty line is never dropped.</summary>
    /// <param name="line">The line.</param>
    /// <param name="bucket">Only lines of the same bucket are compared.</param>
    public void Add(ReadOnlySpan<char> line, long bucket)
    {
        ulong number = (ulong)_count++;
        line = line.Trim();
        if (!line.IsEmpty)
        {
            UInt128 hash = TextHash.Strong(line);
            _lines.Add((ulong)(hash >> 64) ^ TextHash.Mix((ulong)bucket), (ulong)hash, number);
        }
    }

    /// <summary>Numbers of the lines to drop: all occurrences of those that occur too often.</summary>
    public ExternalSorter FindDrops()
    {
        ExternalSorter drops = _create();
        ulong[] held = new ulong[_most];
        SortRecord first = default;
        long count = 0;
        foreach (SortRecord record in _lines.Sorted())
        {
            if (count == 0 || record.A != first.A || record.B != first.B)
            {
                first = record;
                count = 0;
            }

            count++;
            if (count <= _most)
            {
                held[count - 1] = record.C;
                continue;
            }

            if (count == _most + 1)
            {
                foreach (ulong number in held)
                {
                    drops.Add(number, 0);
                }
            }

            drops.Add(record.C, 0);
        }

        _lines.Dispose();
        return drops;
    }

    public void Dispose() => _lines.Dispose();
}
