using Puna.Runtime.Serving;

namespace Puna.Runtime.Tests.Serving;

/// <summary>How many tokens a pass may have, against costs that are known: a fixed part and a part per token.</summary>
public sealed class StepPacerTests
{
    private const double Fixed = 0.040, PerToken = 0.005;

    // 2.5 * (40 + 5) = 112.5 ms are 40 ms and 14.5 tokens.
    private const int Right = 14;

    [Fact]
    public void NothingKnownBoundsNothing() => Assert.Equal(int.MaxValue, new StepPacer(2.5).Room());

    [Fact]
    public void NoSlowdownBoundsNothing()
    {
        var pacer = new StepPacer(0);
        pacer.Add(1, 1);
        pacer.Add(200, 1000);
        Assert.Equal(int.MaxValue, pacer.Room());
    }

    [Fact]
    public void TheBoundIsFoundByTryingMore()
    {
        var pacer = new StepPacer(2.5);
        Run(pacer, 1);
        int largest = 1;
        for (int i = 0; i < 200; i++)
        {
            largest = Math.Max(largest, Run(pacer, pacer.Room()));
        }

        Assert.InRange(pacer.Room(), Right - 1, Right + 1);

        // On the way no pass was more than twice too large.
        Assert.InRange(largest, Right, 2 * Right);
    }

    [Fact]
    public void SizesNeverMetLieBetweenThoseMet()
    {
        var pacer = new StepPacer(2.5);
        Run(pacer, 1);
        Run(pacer, 256);
        Assert.Equal(Right, pacer.Room());
    }

    [Fact]
    public void AColdStartIsForgotten()
    {
        var pacer = new StepPacer(2.5);
        pacer.Add(1, 20 * (Fixed + PerToken));
        for (int i = 0; i < 200; i++)
        {
            Run(pacer, Math.Min(pacer.Room(), 256));
        }

        // The smallest size was never met again, but no pass can be shorter than one of a single token: 8 to 15 tokens are known to take less than what the cold one took.
        Assert.InRange(pacer.Room(), Right, 4 * Right);
        for (int i = 0; i < 100; i++)
        {
            Run(pacer, 1);
            Run(pacer, Math.Min(pacer.Room(), 256));
        }

        Assert.InRange(pacer.Room(), Right - 1, Right + 1);
    }

    [Fact]
    public void APassThatWasHeldUpChangesLittle()
    {
        var pacer = new StepPacer(2.5);
        for (int i = 0; i < 30; i++)
        {
            Run(pacer, 1);
            Run(pacer, 12);
            Run(pacer, 64);
        }

        pacer.Add(12, 5);
        Assert.InRange(pacer.Room(), Right - 3, Right + 1);
    }

    [Fact]
    public void WhatIsOldIsTriedAgain()
    {
        var pacer = new StepPacer(2.5);
        Run(pacer, 1);
        Run(pacer, 8);
        pacer.Add(64, 60);
        Assert.InRange(pacer.Room(), 8, Right);
        for (int i = 0; i < 600; i++)
        {
            Run(pacer, 1);
        }

        // The bound is learned anew, from the bottom.
        Assert.Equal(2, pacer.Room());
    }

    private static int Run(StepPacer pacer, int tokens)
    {
        pacer.Add(tokens, Fixed + (PerToken * tokens));
        return tokens;
    }
}
