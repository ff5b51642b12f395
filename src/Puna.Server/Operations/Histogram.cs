namespace Puna.Server.Operations;

/// <summary>Counts values by size. Thread-safe.</summary>
/// <param name="bounds">Upper bounds, ascending.</param>
internal sealed class Histogram(double[] bounds)
{
    private readonly Lock _lock = new();
    private readonly long[] _counts = new long[bounds.Length + 1];
    private double _sum;

    /// <summary>Counts a value.</summary>
    public void Add(double value)
    {
        int bucket = 0;
        while (bucket < bounds.Length && value > bounds[bucket])
        {
            bucket++;
        }

        lock (_lock)
        {
            _counts[bucket]++;
            _sum += value;
        }
    }

    /// <summary>What was counted: values up to each bound, all, and their sum.</summary>
    public (IReadOnlyList<(double Bound, long Count)> Buckets, long Count, double Sum) Read()
    {
        lock (_lock)
        {
            var buckets = new (double, long)[bounds.Length];
            long total = 0;
            for (int i = 0; i < bounds.Length; i++)
            {
                total += _counts[i];
                buckets[i] = (bounds[i], total);
            }

            return (buckets, total + _counts[^1], _sum);
        }
    }
}
