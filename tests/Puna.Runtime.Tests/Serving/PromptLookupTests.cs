using Puna.Runtime.Serving;

namespace Puna.Runtime.Tests.Serving;

public sealed class PromptLookupTests
{
    [Theory]
    [InlineData(new[] { 1, 2, 3, 4, 1, 2 }, new[] { 3, 4, 1 })]
    [InlineData(new[] { 1, 2, 9, 1, 2, 8, 1, 2 }, new[] { 8, 1, 2 })] // the latest place counts
    [InlineData(new[] { 5, 1, 2, 9, 7, 1, 2, 8, 5, 1, 2 }, new[] { 9, 7, 1 })] // but a longer match counts more
    [InlineData(new[] { 1, 2, 3, 4 }, new int[0])]
    [InlineData(new[] { 7, 7, 7 }, new[] { 7 })]
    [InlineData(new[] { 7 }, new int[0])]
    public void WhatFollowedTheSameTokensIsGuessed(int[] tokens, int[] expected)
    {
        var guesses = new int[3];
        Assert.Equal(expected, guesses[..PromptLookup.Guess(tokens, guesses)]);
    }

    [Fact]
    public void NoGuessesWantedGivesNone() => Assert.Equal(0, PromptLookup.Guess([1, 2, 1, 2, 1, 2], []));
}
