using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>Every epoch is a permutation, another one each time, and looks random.</summary>
public class PermutationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(1000)]
    [InlineData(4096)]
    [InlineData(4097)]
    public void EveryNumberComesOnce(int count)
    {
        for (int epoch = 0; epoch < 3; epoch++)
        {
            var order = new Permutation(count, 7, epoch);
            Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), Enumerable.Range(0, count).Select(i => order[i]).Order());
        }
    }

    [Fact]
    public void EpochsAndSeedsDiffer()
    {
        long[] Order(ulong seed, long epoch)
        {
            var order = new Permutation(1000, seed, epoch);
            return [.. Enumerable.Range(0, 1000).Select(i => order[i])];
        }

        long[] one = Order(1, 0);
        Assert.Equal(one, Order(1, 0));

        // Two random orders of 1000 agree in one place on average; ten would be a chance of 1e-7.
        Assert.InRange(one.Zip(Order(1, 1)).Count(p => p.First == p.Second), 0, 10);
        Assert.InRange(one.Zip(Order(2, 0)).Count(p => p.First == p.Second), 0, 10);
        Assert.InRange(one.Where((x, i) => x == i).Count(), 0, 10);
    }

    [Fact]
    public void PlacesAreEquallyLikely()
    {
        // Where number 0 lands, over 7000 epochs of 7: each place 1000 times, standard deviation 29.
        int[] places = new int[7];
        for (int epoch = 0; epoch < 7000; epoch++)
        {
            places[new Permutation(7, 3, epoch)[0]]++;
        }

        Assert.All(places, count => Assert.InRange(count, 1000 - 150, 1000 + 150));
    }

    [Fact]
    public void VeryManyNumbers()
    {
        var order = new Permutation(1L << 40, 1, 0);
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(i => order[(1L << 39) + i]).Distinct().Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => order[1L << 40]);
    }
}
