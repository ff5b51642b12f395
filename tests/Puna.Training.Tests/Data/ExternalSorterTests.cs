using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>Sorting with a sliver of memory is sorting.</summary>
public sealed class ExternalSorterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(50_000)]
    public void ResultIsThatOfSortingInMemory(int count)
    {
        var random = new Random(1);
        SortRecord[] records = [.. Enumerable.Range(0, count).Select(_ => new SortRecord((ulong)random.Next(100), (ulong)random.NextInt64() << 1, (ulong)random.Next(2)))];
        using var small = new ExternalSorter(_folder.Path, 0, default);
        using var large = new ExternalSorter(_folder.Path, 1 << 24, default);
        foreach (SortRecord record in records)
        {
            small.Add(record.A, record.B, record.C);
            large.Add(record.A, record.B, record.C);
        }

        SortRecord[] expected = [.. records.OrderBy(r => r.A).ThenBy(r => r.B).ThenBy(r => r.C)];
        Assert.Equal(expected, small.Sorted());
        Assert.Equal(expected, small.Sorted());
        Assert.Equal(expected, large.Sorted());
        Assert.Equal(expected.Distinct(), small.Distinct());
        Assert.Equal(0, large.Runs);
        Assert.Equal(count > 256, small.Runs > 0);
    }

    [Fact]
    public void FilesGoAway()
    {
        var sorter = new ExternalSorter(_folder.Path, 0, default);
        for (ulong i = 0; i < 5000; i++)
        {
            sorter.Add(i * 7919 % 5000, 0);
        }

        IEnumerator<SortRecord> reading = sorter.Sorted().GetEnumerator();
        Assert.True(reading.MoveNext());
        Assert.NotEmpty(_folder.Names());
        reading.Dispose();
        sorter.Dispose();
        Assert.Empty(_folder.Names());
    }

    [Fact]
    public void Stops()
    {
        using var stop = new CancellationTokenSource();
        using var sorter = new ExternalSorter(_folder.Path, 0, stop.Token);
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() =>
        {
            for (ulong i = 0; i < 1000; i++)
            {
                sorter.Add(i, 0);
            }
        });
    }
}
