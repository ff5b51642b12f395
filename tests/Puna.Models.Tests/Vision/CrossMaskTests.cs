using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Tests.Vision;

/// <summary>Who sees which image (spec llama1-3.md 4.4).</summary>
public sealed class CrossMaskTests
{
    private const int I = 99;

    private static readonly bool[] _two = [true, true, false, false];
    private static readonly bool[] _one = [true, false, false, false];

    [Fact]
    public void OneImageIsSeenFromItsTokenOnAndBehindTheEnd()
    {
        CrossMask mask = CrossMask.Of([1, 2, I, 3], I, [_two], 4);
        Assert.Equal([[0, 1]], mask.Sets);
        Assert.Equal([-1, -1, 0, 0, 0], Enumerable.Range(0, 5).Select(mask.SetAt));
        Assert.Equal(0, mask.SetAt(100_000));
    }

    [Fact]
    public void ATokenSeesTheLatestImageAndThoseBesideIt()
    {
        CrossMask mask = CrossMask.Of([I, 1, 2, I, I, 3, I, I, I, 4], I, [_two, _one, _two, _one, _one, _one], 4);
        Assert.Equal([[0, 1], [4], [4, 8, 9], [12], [12, 16], [12, 16, 20]], mask.Sets);
        Assert.Equal([0, 0, 0, 1, 2, 2, 3, 4, 5, 5, 5], Enumerable.Range(0, 11).Select(mask.SetAt));
    }

    [Fact]
    public void ARowWithoutOnesSeesNothing()
    {
        CrossMask mask = CrossMask.Of([0, 0, 0, 0, /**/ 1, 1, 0, 0, /**/ 0, 0, 1, 0, /**/ 1, 1, 0, 0], 4, 2, 2);
        Assert.Equal([[0, 1], [2]], mask.Sets);
        Assert.Equal([-1, 0, 1, 0, 0], Enumerable.Range(0, 5).Select(mask.SetAt));
        Assert.Equal(-1, CrossMask.Of([0f, 0], 1, 1, 2).SetAt(3));
        Assert.Equal(-1, CrossMask.Of([], I, [], 4).SetAt(0));
    }

    [Fact]
    public void WhatIsNoMaskIsRefused()
    {
        Assert.Equal("images: expected one for each of the 2 image tokens of the prompt, got 1", Assert.Throws<PunaException>(() => CrossMask.Of([I, I], I, [_one], 4)).Message);
        Assert.Equal("images: expected one for each of the 1 image tokens of the prompt, got 2", Assert.Throws<PunaException>(() => CrossMask.Of([I], I, [_one, _two], 4)).Message);
        Assert.Equal("cross-attention mask of token 1: expected 0 or 1, got 0.5", Assert.Throws<PunaException>(() => CrossMask.Of([0, 1, 0.5f, 1], 2, 1, 2)).Message);
        Assert.Equal("cross-attention mask: expected 2 x 1 x 2 values, got 3", Assert.Throws<PunaException>(() => CrossMask.Of([0, 1, 1], 2, 1, 2)).Message);
    }
}
