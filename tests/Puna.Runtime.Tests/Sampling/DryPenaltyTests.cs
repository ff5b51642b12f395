using Puna.Runtime.Sampling;

namespace Puna.Runtime.Tests.Sampling;

public sealed class DryPenaltyTests
{
    private static readonly SamplingOptions Options = new() { DryMultiplier = 0.5, DryBase = 2, DryAllowedLength = 2 };

    [Fact]
    public void ATokenThatLengthensARepetitionCostsMoreTheLongerItIs()
    {
        // The end 1 2 3 occurred before 4, and 2 3 before 5: three and two tokens.
        float[] logits = Apply(Options, [1, 2, 3, 4, 2, 3, 5, 1, 2, 3]);
        Assert.Equal([0, 0, 0, 0, -1, -0.5f, 0, 0], logits);
    }

    [Fact]
    public void ShortRepetitionsCostNothing()
    {
        Assert.Equal(new float[8], Apply(Options with { DryAllowedLength = 4 }, [1, 2, 3, 4, 2, 3, 5, 1, 2, 3]));
        Assert.Equal(new float[8], Apply(Options, [1, 2, 3]));
        Assert.Equal(new float[8], Apply(Options, []));
    }

    [Fact]
    public void NothingIsRepeatedAcrossABreaker()
    {
        Assert.Equal([0, 0, 0, 0, -0.5f, 0, 0, 0], Apply(Options with { DryBreakers = new HashSet<int> { 1 } }, [1, 2, 3, 4, 1, 2, 3]));
        Assert.Equal(new float[8], Apply(Options with { DryBreakers = new HashSet<int> { 2 } }, [1, 2, 3, 4, 1, 2, 3]));
    }

    [Fact]
    public void OnlyTheWindowIsLookedAt() => Assert.Equal([0, 0, 0, 0, 0, -0.5f, 0, 0], Apply(Options with { DryWindow = 6 }, [1, 2, 3, 4, 2, 3, 5, 1, 2, 3]));

    [Fact]
    public void AgreesWithComparingEverywhere()
    {
        var random = new Random(3);
        for (int round = 0; round < 300; round++)
        {
            int[] history = [.. Enumerable.Range(0, random.Next(60)).Select(_ => random.Next(3))];
            HashSet<int> breakers = random.Next(2) == 0 ? [] : [2];
            var longest = new int[8];
            for (int next = 1; next < history.Length; next++)
            {
                int length = 0;
                while (length < next && history[next - 1 - length] == history[^(1 + length)] && !breakers.Contains(history[^(1 + length)]))
                    length++;
                longest[history[next]] = Math.Max(longest[history[next]], length);
            }

            float[] expected = [.. longest.Select(static l => l < 2 ? 0 : (float)(-0.5 * Math.Pow(2, l - 2)))];
            Assert.Equal(expected, Apply(Options with { DryBreakers = breakers }, history));
        }
    }

    private static float[] Apply(SamplingOptions options, int[] history)
    {
        var logits = new float[8];
        var longest = new int[8];
        LogitAdjustment.Apply(options, [], logits, history, 0, longest, []);
        Assert.Equal(new int[8], longest);
        return logits;
    }
}
