using Puna.Runtime.Sampling;

namespace Puna.Runtime.Tests.Sampling;

public class RankedTokensTests
{
    [Fact]
    public void KeysOrderByLogitThenById()
    {
        float[] descending = [float.MaxValue, 3.5f, 1e-40f, 0f, -1e-40f, -3.5f, float.MinValue];
        for (int i = 1; i < descending.Length; i++)
            Assert.True(RankedTokens.Key(descending[i - 1], 200_000) < RankedTokens.Key(descending[i], 0));
        Assert.True(RankedTokens.Key(1, 3) < RankedTokens.Key(1, 4));
        Assert.Equal(RankedTokens.Key(0f, 7), RankedTokens.Key(-0f, 7));
        Assert.Equal(128_255, RankedTokens.Token(RankedTokens.Key(-2, 128_255)));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 1000)]
    [InlineData(40, 5000)]
    [InlineData(1999, 2000)]
    [InlineData(700, 5000)]
    public void TopIsThatOfAFullSort(int count, int vocabulary)
    {
        var random = new Random(count);
        foreach (int distinct in (int[])[1, 3, 50, 1_000_000])
        {
            var logits = new float[vocabulary];
            for (int i = 0; i < vocabulary; i++)
                logits[i] = random.Next(5) == 0 ? float.NegativeInfinity : random.Next(distinct) - (distinct / 2);
            int[] expected = [.. Enumerable.Range(0, vocabulary).Where(i => float.IsFinite(logits[i])).OrderByDescending(i => logits[i]).ThenBy(i => i).Take(count)];
            var keys = new ulong[vocabulary];
            int kept = RankedTokens.SelectTop(logits, count, keys, new double[vocabulary]);
            Assert.Equal(expected, keys.Take(kept).Order().Select(RankedTokens.Token));
        }
    }

    [Fact]
    public void PrefixIsThatOfAFullSort()
    {
        var random = new Random(5);
        for (int round = 0; round < 300; round++)
        {
            int n = random.Next(1, 2000);
            // Masses are whole numbers, so that sums are exact in any order and the strictness of the limit is tested too.
            var items = Enumerable.Range(0, n).Select(i => (Key: (ulong)i * 7919 % 104_729, Mass: (double)random.Next(4))).ToArray();
            random.Shuffle(items);
            double limit = random.Next(0, (2 * n) + 10);
            double before = 0;
            ulong[] expected = [.. items.OrderBy(x => x.Key).TakeWhile(x => (before += x.Mass) - x.Mass <= limit).Select(x => x.Key)];
            ulong[] keys = [.. items.Select(x => x.Key)];
            double[] mass = [.. items.Select(x => x.Mass)];
            int kept = RankedTokens.SelectPrefix(keys, mass, limit);
            Assert.Equal(expected, keys.Take(kept).Order());
            var massOf = items.ToDictionary(x => x.Key, x => x.Mass);
            Assert.All(keys.Zip(mass), pair => Assert.Equal(massOf[pair.First], pair.Second));
        }
    }

    [Fact]
    public void UnluckyPivotsStillEnd()
    {
        // An organ-pipe arrangement, bad for medians of three, and a limit that cuts off one at a time.
        ulong[] keys = [.. Enumerable.Range(0, 50_000).Select(i => (ulong)(i < 25_000 ? 2 * i : (2 * (50_000 - i)) - 1))];
        var mass = new double[keys.Length];
        mass.AsSpan().Fill(1);
        Assert.Equal(1, RankedTokens.SelectPrefix(keys, mass, 0));
        Assert.Equal(0UL, keys[0]);
    }
}
