using Puna.Runtime.Serving;

namespace Puna.Runtime.Tests.Serving;

public sealed class WaitingQueueTests
{
    private long _ids;

    [Fact]
    public void AKeyWithManyRequestsDoesNotHoldUpOneWithFew()
    {
        var queue = new WaitingQueue();
        for (int i = 0; i < 10; i++)
        {
            queue.Add(Request("many"));
        }

        for (int i = 0; i < 3; i++)
        {
            queue.Add(Request("few"));
        }

        var order = new List<string>();
        while (queue.Peek() is { } next)
        {
            queue.Take(next);
            queue.Charge(next, 100);
            order.Add(next.Request.Key);
        }

        Assert.Equal(["many", "few", "many", "few", "many", "few", .. Enumerable.Repeat("many", 7)], order);
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void AKeyThatComesLateStartsLevelAndOneThatLeavesSavesNothingUp()
    {
        var queue = new WaitingQueue();
        ActiveRequest first = Request("a");
        queue.Add(first);
        queue.Take(first);
        queue.Charge(first, 1000);
        queue.Add(Request("a"));
        ActiveRequest late = Request("b");
        queue.Add(late);
        queue.Take(late);
        queue.Charge(late, 1);

        // b is level with a, not a thousand tokens behind it.
        Assert.Equal("a", queue.Peek()!.Request.Key);
        queue.Leave(late);
        queue.Add(Request("b"));
        Assert.Equal("a", queue.Peek()!.Request.Key);
    }

    [Fact]
    public void WhatIsPutBackIsNextOfItsKey()
    {
        var queue = new WaitingQueue();
        ActiveRequest first = Request("a"), second = Request("a");
        queue.Add(first);
        queue.Add(second);
        queue.Take(first);
        queue.PutBack(first);
        Assert.Same(first, queue.Peek());
        Assert.Equal(2, queue.Count);
    }

    private ActiveRequest Request(string key) => new(++_ids, new GenerationRequest { Prompt = [1], Key = key }, null, TimeProvider.System, static () => { });
}
