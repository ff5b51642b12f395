namespace Puna.Training.Data;

/// <summary>
/// Finds documents to drop because others say the same (spec training.md 2.3). Documents are numbered as they are added; memory is bounded, whatever their number.
/// </summary>
internal sealed class Deduplicator : IDisposable
{
    private readonly Func<ExternalSorter> _create;
    private readonly ExternalSorter _exact;
    private readonly ExternalSorter _buckets;
    private readonly ExternalSorter _lengths;
    private long _documents;

    /// <param name="folder">For temporary files.</param>
    /// <param name="memoryBytes">What may be used at any time.</param>
    /// <param name="stop">Ends the work.</param>
    public Deduplicator(string folder, long memoryBytes, CancellationToken stop)
    {
        // Never more than six sorters are alive.
        _create = () => new ExternalSorter(folder, memoryBytes / 6, stop);
        _exact = _create();
        _buckets = _create();
        _lengths = _create();
    }

    /// <summary>Adds the next document.</summary>
    /// <param name="hash">Of the whole text, or null not to look for equal ones.</param>
    /// <param name="buckets">What <see cref="MinHasher"/> gave, or none not to look for similar ones.</param>
    /// <param name="length">Characters.</param>
    public void Add(UInt128? hash, ReadOnlySpan<ulong> buckets, long length)
    {
        ulong document = (ulong)_documents++;
        if (hash is { } value)
        {
            _exact.Add((ulong)(value >> 64), (ulong)value, document);
        }

        for (int bucket = 0; bucket < buckets.Length; bucket++)
        {
            _buckets.Add(buckets[bucket], (ulong)bucket, document);
        }

        if (!buckets.IsEmpty)
        {
            _lengths.Add(document, (ulong)length);
        }
    }

    /// <summary>The documents to drop: records (document, <see cref="DropReason"/>); where both reasons hold, the first one comes first.</summary>
    public ExternalSorter FindDrops()
    {
        ExternalSorter drops = _create();
        SortRecord last = default;
        bool first = true;
        foreach (SortRecord record in _exact.Sorted())
        {
            if (!first && record.A == last.A && record.B == last.B)
            {
                drops.Add(record.C, (ulong)DropReason.Exact);
            }

            first = false;
            last = record;
        }

        _exact.Dispose();
        using ExternalSorter stars = Clusters.Contract(Edges(), _create);
        using ExternalSorter members = Members(stars);
        _lengths.Dispose();
        ulong cluster = ulong.MaxValue;
        foreach (SortRecord member in members.Distinct())
        {
            if (member.A == cluster)
            {
                drops.Add(member.C, (ulong)DropReason.Near);
            }

            cluster = member.A;
        }

        return drops;
    }

    public void Dispose()
    {
        _exact.Dispose();
        _buckets.Dispose();
        _lengths.Dispose();
    }

    /// <summary>Documents that share a bucket, linked to the first of them.</summary>
    private ExternalSorter Edges()
    {
        ExternalSorter edges = _create();
        SortRecord first = default;
        bool any = false;
        foreach (SortRecord record in _buckets.Sorted())
        {
            if (any && record.A == first.A && record.B == first.B)
            {
                edges.Add(record.C, first.C);
            }
            else
            {
                first = record;
                any = true;
            }
        }

        _buckets.Dispose();
        return edges;
    }

    /// <summary>Records (cluster, what is left of the greatest length, document): the first of each cluster is the one to keep.</summary>
    private ExternalSorter Members(ExternalSorter stars)
    {
        using ExternalSorter nodes = _create();
        foreach (SortRecord star in stars.Distinct())
        {
            nodes.Add(star.A, star.B);
            nodes.Add(star.B, star.B);
        }

        ExternalSorter members = _create();
        using IEnumerator<SortRecord> lengths = _lengths.Sorted().GetEnumerator();
        lengths.MoveNext();
        foreach (SortRecord node in nodes.Distinct())
        {
            while (lengths.Current.A < node.A && lengths.MoveNext())
            {
            }

            members.Add(node.B, ulong.MaxValue - lengths.Current.B, node.A);
        }

        return members;
    }
}
