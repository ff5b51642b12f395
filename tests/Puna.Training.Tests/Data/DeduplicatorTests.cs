using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>Copies are found as often as the formula says, and the right one is kept (AC-15).</summary>
public sealed class DeduplicatorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RecallIsThatOfTheFormulaAndNothingElseIsMerged()
    {
        const int Documents = 20_000, PerLevel = 2000;
        double[] levels = [0.5, 0.75, 0.9];
        var random = new Random(1);
        var texts = new List<string[]>();
        var pairs = new List<(int Level, int First, int Second, double Jaccard)>();
        for (int level = 0; level < levels.Length; level++)
        {
            for (int i = 0; i < PerLevel; i++)
            {
                string[] one = CorpusMaker.Words(random, random.Next(60, 200));
                string[] other = CorpusMaker.Near(random, one, levels[level]);
                pairs.Add((level, texts.Count, texts.Count + 1, CorpusMaker.Jaccard(one, other)));
                texts.Add(one);
                texts.Add(other);
            }
        }

        while (texts.Count < Documents)
        {
            texts.Add(CorpusMaker.Words(random, random.Next(60, 200)));
        }

        HashSet<int> drops = [.. Drops([.. texts.Select(t => string.Join(' ', t))], exact: false, near: true, memory: 1 << 22).Select(d => d.Document)];
        for (int level = 0; level < levels.Length; level++)
        {
            (int Level, int First, int Second, double Jaccard)[] planted = [.. pairs.Where(p => p.Level == level)];
            double recall = planted.Count(p => drops.Contains(p.First) || drops.Contains(p.Second)) / (double)PerLevel;
            double formula = planted.Average(p => 1 - Math.Pow(1 - Math.Pow(p.Jaccard, 8), 14));
            TestContext.Current.TestOutputHelper?.WriteLine($"similarity {levels[level]}: recall {recall:F4}, formula {formula:F4}");
            Assert.InRange(recall - formula, -0.05, 0.05);
        }

        int falsely = drops.Count(d => d >= 2 * PerLevel * levels.Length) + pairs.Count(p => drops.Contains(p.First) && drops.Contains(p.Second));
        Assert.InRange(falsely / (double)Documents, 0, 0.001);
    }

    [Fact]
    public void ExactCopiesAreThoseOfANaiveSearch()
    {
        var random = new Random(2);
        string[] texts = [.. Enumerable.Range(0, 3000).Select(_ => $"text {random.Next(800)}")];
        var seen = new HashSet<string>();
        (int, DropReason)[] expected = [.. Enumerable.Range(0, texts.Length).Where(i => !seen.Add(texts[i])).Select(i => (i, DropReason.Exact))];
        Assert.Equal(expected, Drops(texts, exact: true, near: false, memory: 0));
        Assert.Equal(expected, Drops(texts, exact: true, near: false, memory: 1 << 24));
    }

    [Fact]
    public void TheLongestOfAClusterStaysAndOfEqualOnesTheFirst()
    {
        string body = string.Join(' ', CorpusMaker.Words(new Random(3), 300));
        string other = string.Join(' ', CorpusMaker.Words(new Random(4), 300));
        (int, DropReason)[] drops = Drops([body, body + " end", other, body + " END", body + "!", other], exact: true, near: true, memory: 0);
        Assert.Equal([(0, DropReason.Near), (3, DropReason.Near), (4, DropReason.Near), (5, DropReason.Exact)], drops.Where(d => d is not (5, DropReason.Near)));
        Assert.Equal([0, 3, 4, 5], drops.Select(d => d.Item1).Distinct());
    }

    [Fact]
    public void ResultsDoNotDependOnMemory()
    {
        var random = new Random(5);
        var texts = new List<string>();
        for (int i = 0; i < 400; i++)
        {
            string[] one = CorpusMaker.Words(random, 80);
            texts.Add(string.Join(' ', one));
            for (int k = random.Next(4); k > 0; k--)
            {
                texts.Add(string.Join(' ', one = CorpusMaker.Near(random, one, 0.85)));
            }
        }

        (int, DropReason)[] little = Drops([.. texts], exact: true, near: true, memory: 0);
        Assert.NotEmpty(little);
        Assert.Equal(Drops([.. texts], exact: true, near: true, memory: 1 << 26), little);
        Assert.Empty(_folder.Names());
    }

    [Fact]
    public void TextsWithoutWordsAreNoCopiesOfOneAnother() => Assert.Empty(Drops(["...", "!!!", "", "?"], exact: true, near: true, memory: 0));

    [Fact]
    public void ShortTextsAreComparedWhole() =>
        Assert.Equal([(1, DropReason.Near)], Drops(["Good morning", "good MORNING", "good evening"], exact: true, near: true, memory: 0));

    private (int Document, DropReason Reason)[] Drops(string[] texts, bool exact, bool near, long memory)
    {
        var hasher = new MinHasher();
        using var deduplicator = new Deduplicator(_folder.Path, memory, default);
        ulong[] buckets = new ulong[MinHasher.Buckets];
        foreach (string text in texts)
        {
            bool any = near && hasher.Compute(text, buckets);
            deduplicator.Add(exact ? TextHash.Strong(text) : null, any ? buckets : [], text.Length);
        }

        using ExternalSorter drops = deduplicator.FindDrops();
        return [.. drops.Sorted().Select(r => ((int)r.A, (DropReason)r.B))];
    }
}
