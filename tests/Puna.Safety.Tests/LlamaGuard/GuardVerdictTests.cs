using Puna.Safety.LlamaGuard;

namespace Puna.Safety.Tests.LlamaGuard;

public sealed class GuardVerdictTests
{
    [Theory]
    [InlineData("safe", GuardState.Safe)]
    [InlineData("\n\nsafe\r\n", GuardState.Safe)]
    [InlineData("unsafe\nS1,S3", GuardState.Unsafe, "S1", "S3")]
    [InlineData("unsafe\r\n S10 , S2\r\n", GuardState.Unsafe, "S10", "S2")]
    [InlineData("unsafe\nS1,S1", GuardState.Unsafe, "S1")]
    [InlineData("unsafe", GuardState.Unsafe)]
    [InlineData("", GuardState.Malformed)]
    [InlineData("Safe", GuardState.Malformed)]
    [InlineData("safe\nS1", GuardState.Malformed)]
    [InlineData("unsafe\nS1\nS2", GuardState.Malformed)]
    [InlineData("unsafe\nS1,", GuardState.Malformed)]
    [InlineData("unsafe\nviolence", GuardState.Malformed)]
    [InlineData("I am sorry", GuardState.Malformed)]
    public void Answers(string output, GuardState state, params string[] categories)
    {
        GuardVerdict verdict = GuardVerdict.Parse(output);
        Assert.Equal((state, output, state == GuardState.Safe), (verdict.State, verdict.Output, verdict.IsAllowed));
        Assert.Equal(categories, verdict.Categories);
    }

    [Fact]
    public void AProbabilityMayDecide()
    {
        GuardVerdict unsure = GuardVerdict.Parse("unsafe\nS1") with { Score = 0.6 };
        Assert.Equal(GuardState.Unsafe, unsure.ByScore(0.6).State);
        Assert.Equal((GuardState.Safe, 0), (unsure.ByScore(0.61).State, unsure.ByScore(0.61).Categories.Count));
        Assert.Equal(GuardState.Unsafe, (GuardVerdict.Parse("safe") with { Score = 0.2 }).ByScore(0.1).State);
        Assert.Equal(GuardState.Malformed, (GuardVerdict.Parse("well") with { Score = 0 }).ByScore(0.5).State);
        Assert.Equal(GuardState.Safe, GuardVerdict.Parse("safe").ByScore(0.5).State); // not measured
    }

    [Fact]
    public void ExcludedCategoriesDoNotCount()
    {
        Assert.Equal(GuardState.Safe, GuardVerdict.Parse("unsafe\nS1,S2").Without(["S2", "S1"]).State);
        Assert.Equal(["S3"], GuardVerdict.Parse("unsafe\nS1,S3").Without(["S1"]).Categories);
        Assert.Equal(GuardState.Unsafe, GuardVerdict.Parse("unsafe").Without(["S1"]).State);
        Assert.Equal(GuardState.Malformed, GuardVerdict.Parse("?").Without(["S1"]).State);
    }
}
