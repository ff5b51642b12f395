using System.Runtime.CompilerServices;
using Puna.Text.Merging;

namespace Puna.Text.Tests.Merging;

public class BpeMergerTests
{
    /// <summary>Both ways of merging against the definition: look at all pairs, join the best, start again.</summary>
    [Fact]
    public void Short_and_long_merging_do_what_the_definition_says()
    {
        var random = new Random(5);
        for (int round = 0; round < 3000; round++)
        {
            // A random table over two letters: every text of up to five of them is a token or not, with a random rank.
            var ranks = new Dictionary<string, int>();
            for (int length = 2; length <= 5; length++)
            {
                for (int bits = 0; bits < 1 << length; bits++)
                {
                    if (random.Next(2) == 0)
                    {
                        ranks[string.Concat(Enumerable.Range(0, length).Select(i => "ab"[(bits >> i) & 1]))] = random.Next(8);
                    }
                }
            }

            // Lengths on both sides of 8, 16 and 64 symbols, where one vector is full, and the mask of the short way is.
            int symbols = round % 3 == 0 ? 61 + random.Next(8) : random.Next(1, 40);
            string text = string.Concat(Enumerable.Range(0, symbols).Select(_ => "ab"[random.Next(2)]));
            string[] expected = Definition(text, ranks);
            Assert.Equal(expected, Run(text, ranks, heap: false));
            Assert.Equal(expected, Run(text, ranks, heap: true));
        }
    }

    /// <summary>Work is counted instead of time: each merge asks for at most two pairs, whatever the text.</summary>
    [Theory]
    [InlineData(10_000)]
    [InlineData(80_000)]
    public void Long_runs_take_linear_work(int length)
    {
        byte[] text = new byte[length];
        var counter = new StrongBox<int>();
        int[] starts = [.. Enumerable.Range(0, length + 1)], symbols = new int[length];
        int count = BpeMerger.Merge(new PowersOfTwo(counter), text, starts, symbols);
        Assert.Equal(length / 16, count);
        Assert.InRange(counter.Value, length, 3 * length);
    }

    private static string[] Definition(string text, Dictionary<string, int> ranks)
    {
        var parts = text.Select(static c => c.ToString()).ToList();
        while (true)
        {
            int best = int.MaxValue, at = -1;
            for (int i = 0; i + 1 < parts.Count; i++)
            {
                if (ranks.TryGetValue(parts[i] + parts[i + 1], out int rank) && rank < best)
                {
                    (best, at) = (rank, i);
                }
            }

            if (at < 0)
            {
                return [.. parts];
            }

            parts[at] += parts[at + 1];
            parts.RemoveAt(at + 1);
        }
    }

    private static string[] Run(string text, Dictionary<string, int> ranks, bool heap)
    {
        byte[] bytes = [.. text.Select(static c => (byte)c)];
        int[] starts = [.. Enumerable.Range(0, text.Length + 1)], symbols = new int[text.Length];
        var rule = new DictionaryRule(ranks);
        int count = heap ? BpeMerger.MergeLong(rule, bytes, starts, symbols) : BpeMerger.Merge(rule, bytes, starts, symbols);
        return [.. Enumerable.Range(0, count).Select(i => text[starts[i]..starts[i + 1]])];
    }

    private readonly struct DictionaryRule(Dictionary<string, int> ranks) : IMergeRule
    {
        public int Rank(int left, int right, ReadOnlySpan<byte> joined, int leftLength, out int merged)
        {
            merged = 0;
            return ranks.GetValueOrDefault(System.Text.Encoding.ASCII.GetString(joined), BpeMerger.Never);
        }
    }

    /// <summary>Joins equal halves up to 16 bytes, as a vocabulary does with a run of one letter.</summary>
    private readonly struct PowersOfTwo(StrongBox<int> calls) : IMergeRule
    {
        public int Rank(int left, int right, ReadOnlySpan<byte> joined, int leftLength, out int merged)
        {
            calls.Value++;
            merged = joined.Length;
            return leftLength * 2 == joined.Length && joined.Length <= 16 ? joined.Length : BpeMerger.Never;
        }
    }
}
