using Puna.Runtime.Sampling;

namespace Puna.Runtime.Tests.Sampling;

public class PhiloxTests
{
    // The known answers published with the algorithm (Random123, philox4x32 with 10 rounds): zeros, ones, digits of pi.
    [Theory]
    [InlineData(0UL, 0UL, 0UL, 0xe169c58d6627e8d5UL, 0x9b00dbd8bc57ac4cUL)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0x41c83b0e408f276dUL, 0x6d5451fda20bc7c6UL)]
    [InlineData(0x299f31d0a4093822UL, 0x85a308d3243f6a88UL, 0x0370734413198a2eUL, 0x94fdccebd16cfe09UL, 0x24126ea15001e420UL)]
    public void GivesTheKnownAnswers(ulong key, ulong counterLow, ulong counterHigh, ulong low, ulong high) =>
        Assert.Equal((low, high), Philox.Block(key, counterLow, counterHigh));

    // From an independent implementation with integers of any size.
    [Theory]
    [InlineData(0, 0, 0, 0.8805201978886142)]
    [InlineData(42, 7, 3, 0.7109702649519212)]
    [InlineData(-1, 100_000, 0, 0.7674140937555779)]
    public void UniformIsFrozen(long seed, long position, int choice, double expected) =>
        Assert.Equal(expected, Philox.Uniform((ulong)seed, position, choice));

    [Fact]
    public void UniformFillsItsIntervalEvenly()
    {
        // Chi-square over 100 bins with 100,000 draws: 99 degrees of freedom exceed 148.2 with probability 0.001. The draws are fixed, so this cannot flicker.
        var bins = new int[100];
        for (int position = 0; position < 100_000; position++)
        {
            double uniform = Philox.Uniform(2024, position, 0);
            Assert.InRange(uniform, 0, Math.BitDecrement(1.0));
            bins[(int)(uniform * 100)]++;
        }

        Assert.InRange(bins.Sum(n => (n - 1000.0) * (n - 1000.0) / 1000), 0, 148.2);
    }
}
