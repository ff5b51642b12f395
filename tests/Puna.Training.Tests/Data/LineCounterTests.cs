using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>A line that occurs seven times goes, one that occurs six times stays (AC-15).</summary>
public sealed class LineCounterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SevenGoAndSixStay()
    {
        string[] lines = [.. Repeat("seven", 7), .. Repeat("six", 6), .. Repeat("", 20), .. Repeat("  ", 20), .. Repeat("twenty", 20)];
        new Random(1).Shuffle(lines);
        Assert.Equal(Naive(lines, 6), Drops(lines, 6, _ => 0));
        Assert.All(Drops(lines, 6, _ => 0), i => Assert.True(lines[i] is "seven" or "twenty"));
        Assert.Equal(27, Drops(lines, 6, _ => 0).Length);
    }

    [Fact]
    public void RandomLinesAsInANaiveCount()
    {
        var random = new Random(2);
        string[] lines = [.. Enumerable.Range(0, 20_000).Select(_ => $"line {Math.Sqrt(random.Next(9_000_000)):F0}")];
        Assert.Equal(Naive(lines, 6), Drops(lines, 6, _ => 0));
        Assert.Equal(Naive(lines, 1), Drops(lines, 1, _ => 0));
    }

    [Fact]
    public void SpaceAroundALineDoesNotCount() => Assert.Equal([0, 1, 2], Drops(["a", " a", "a\t"], 2, _ => 0));

    [Fact]
    public void BucketsAreCountedApart() => Assert.Equal([6, 7, 8, 9, 10, 11, 12], Drops(Repeat("x", 13), 6, i => i < 6 ? 0 : 1));

    private static string[] Repeat(string line, int count) => [.. Enumerable.Repeat(line, count)];

    private static int[] Naive(string[] lines, int most)
    {
        Dictionary<string, int> counts = lines.CountBy(l => l).ToDictionary();
        return [.. Enumerable.Range(0, lines.Length).Where(i => lines[i].Trim().Length > 0 && counts[lines[i]] > most)];
    }

    private int[] Drops(string[] lines, int most, Func<int, long> bucket)
    {
        using var counter = new LineCounter(_folder.Path, 0, most, default);
        for (int i = 0; i < lines.Length; i++)
        {
            counter.Add(lines[i], bucket(i));
        }

        using ExternalSorter drops = counter.FindDrops();
        return [.. drops.Sorted().Select(r => (int)r.A)];
    }
}
