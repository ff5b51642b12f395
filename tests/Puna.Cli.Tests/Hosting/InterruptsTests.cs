using Puna.Cli.Hosting;

namespace Puna.Cli.Tests.Hosting;

public class InterruptsTests
{
    private readonly List<int> _exits = [];

    [Fact]
    public void TheFirstStopsTheWorkAndTheSecondExits()
    {
        using var interrupts = new Interrupts(_exits.Add);
        interrupts.Interrupt();
        Assert.True(interrupts.Token.IsCancellationRequested);
        Assert.Empty(_exits);
        interrupts.Interrupt();
        Assert.Equal([130], _exits);
    }

    [Fact]
    public void DuringAPartOnlyThePartStops()
    {
        using var interrupts = new Interrupts(_exits.Add);
        CancellationToken part = interrupts.BeginPart();
        interrupts.Interrupt();
        Assert.True(part.IsCancellationRequested);
        Assert.False(interrupts.Token.IsCancellationRequested);

        interrupts.EndPart();
        CancellationToken next = interrupts.BeginPart();
        Assert.False(next.IsCancellationRequested);
        interrupts.Interrupt();
        interrupts.Interrupt();
        Assert.Equal([130], _exits);
    }

    [Fact]
    public void TheRequestToEndStopsEverything()
    {
        using var interrupts = new Interrupts(_exits.Add);
        CancellationToken part = interrupts.BeginPart();
        interrupts.End();
        Assert.True(part.IsCancellationRequested);
        Assert.True(interrupts.Token.IsCancellationRequested);
        Assert.Empty(_exits);
    }

    [Fact]
    public void WhileTheUserIsAwaitedOneIsEnough()
    {
        using var interrupts = new Interrupts(_exits.Add);
        int left = 0;
        string line = interrupts.WhileWaiting(() =>
        {
            interrupts.Interrupt();
            return "typed";
        }, () => left++);
        Assert.Equal(1, left);
        Assert.Equal("typed", line);
        Assert.Equal([130], _exits);
        interrupts.Interrupt();
        Assert.Equal([130], _exits);
    }
}
