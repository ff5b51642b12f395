using Puna.Tensors.Kernels;

namespace Puna.Tensors.Tests.Kernels;

public sealed class KernelThreadPoolTests
{
    private static int _sum;
    private static readonly int[] _visits = new int[1000];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void EveryItemIsDoneExactlyOnce(int threads)
    {
        using var pool = new KernelThreadPool(threads);
        Assert.Equal(threads, pool.Threads);
        for (int round = 0; round < 300; round++)
        {
            int items = (round * 37) % 1000;
            Array.Clear(_visits);
            var job = new Visit { Threads = threads };
            pool.Run(ref job, items);
            for (int i = 0; i < _visits.Length; i++)
            {
                Assert.Equal(i < items ? 1 : 0, _visits[i]);
            }
        }
    }

    [Fact]
    public void MoreItemsThanATicketHoldsAreAllDone()
    {
        using var pool = new KernelThreadPool(3);
        _sum = 0;
        var job = default(Count);
        pool.Run(ref job, 200_001);
        Assert.Equal(200_001, _sum);
    }

    [Fact]
    public async Task CallersTakeTurns()
    {
        using var pool = new KernelThreadPool(3);
        _sum = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            () =>
            {
                for (int i = 0; i < 500; i++)
                {
                    var job = default(Count);
                    pool.Run(ref job, 10);
                }
            },
            TestContext.Current.CancellationToken)));
        Assert.Equal(4 * 500 * 10, _sum);
    }

    [Fact]
    public void SleepingThreadsWakeUp()
    {
        using var pool = new KernelThreadPool(2);
        for (int i = 0; i < 3; i++)
        {
            Thread.Sleep(50);
            _sum = 0;
            var job = default(Count);
            pool.Run(ref job, 100);
            Assert.Equal(100, _sum);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void AnExceptionReachesTheCallerAndThePoolGoesOn(int threads)
    {
        using var pool = new KernelThreadPool(threads);
        for (int i = 0; i < 50; i++)
        {
            Assert.Throws<InvalidTimeZoneException>(() =>
            {
                var job = default(Fail);
                pool.Run(ref job, 40);
            });
            _sum = 0;
            var good = default(Count);
            pool.Run(ref good, 100);
            Assert.Equal(100, _sum);
        }
    }

    private struct Fail : IKernelJob
    {
        public readonly void Execute(int item, int worker)
        {
            if (item % 7 == 3)
            {
                throw new InvalidTimeZoneException();
            }
        }
    }

    private struct Visit : IKernelJob
    {
        public int Threads;

        public readonly void Execute(int item, int worker)
        {
            if ((uint)worker < (uint)Threads)
            {
                Interlocked.Increment(ref _visits[item]);
            }
        }
    }

    private struct Count : IKernelJob
    {
        public readonly void Execute(int item, int worker) => Interlocked.Increment(ref _sum);
    }
}
