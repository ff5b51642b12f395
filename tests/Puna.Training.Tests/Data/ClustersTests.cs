using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>Components found by sorting are those of union-find.</summary>
public sealed class ClustersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(10, 5, 1)]
    [InlineData(1000, 400, 2)]
    [InlineData(1000, 900, 3)]
    [InlineData(500, 1500, 4)]
    [InlineData(20, 0, 5)]
    public void RandomGraphs(int nodes, int edges, int seed)
    {
        var random = new Random(seed);
        Check([.. Enumerable.Range(0, edges).Select(_ => (random.Next(nodes), random.Next(nodes))).Where(e => e.Item1 != e.Item2)], nodes);
    }

    [Fact]
    public void LongPathsStarsAndCycles()
    {
        int[] shuffled = [.. Enumerable.Range(0, 1000)];
        new Random(1).Shuffle(shuffled);
        Check([.. Enumerable.Range(0, 999).Select(i => (shuffled[i], shuffled[i + 1]))], 1000);
        Check([.. Enumerable.Range(0, 999).Select(i => (i + 1, i))], 1000);
        Check([.. Enumerable.Range(1, 999).Select(i => (i, 0))], 1000);
        Check([.. Enumerable.Range(0, 999).Select(i => (999, i))], 1000);
        Check([.. Enumerable.Range(0, 100).Select(i => (i, (i + 1) % 100)), (200, 201), (200, 201), (201, 200)], 300);
    }

    private void Check((int A, int B)[] edges, int nodes)
    {
        int[] parent = [.. Enumerable.Range(0, nodes)];
        int Root(int x) => parent[x] == x ? x : parent[x] = Root(parent[x]);
        var sorter = new ExternalSorter(_folder.Path, 0, default);
        foreach ((int a, int b) in edges)
        {
            sorter.Add((ulong)a, (ulong)b);
            (int low, int high) = (Math.Min(Root(a), Root(b)), Math.Max(Root(a), Root(b)));
            parent[high] = low;
        }

        using ExternalSorter stars = Clusters.Contract(sorter, () => new ExternalSorter(_folder.Path, 0, default));
        IEnumerable<(ulong, ulong)> expected = Enumerable.Range(0, nodes).Where(i => Root(i) != i).Select(i => ((ulong)i, (ulong)Root(i)));
        Assert.Equal(expected, stars.Distinct().Select(r => (r.A, r.B)));
    }
}
