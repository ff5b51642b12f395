using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Puna.Tensors.Kernels;

namespace Puna.Bench.Kernels;

/// <summary>
/// What a barrier of the kernels' threads costs, and what a busy neighbour costs: <c>threads</c>. The barrier is a job whose items end when every thread has begun one, so that it takes as long as all threads
/// need to hear of it, meet and report back. The neighbour is a thread that computes all the time; the same work is cut into one item per thread, and into many that threads take from each other, in turns.
/// </summary>
internal static class ThreadsReport
{
    private const int Calls = 20_000;
    private const int Rounds = 600;
    private const int Pieces = 256;
    private const int Work = 2_000_000;

    private static int s_met;

    /// <summary>Runs the report.</summary>
    public static int Run()
    {
        int cores = Environment.ProcessorCount;
        using (var pool = new KernelThreadPool(cores))
        {
            Show($"{cores} threads: a barrier", Barrier(pool), "us");
        }

        foreach (int neighbours in new[] { 0, 1, cores })
        {
            using var pool = new KernelThreadPool(cores);
            var own = new double[Rounds];
            var shared = new double[Rounds];
            using (new Neighbours(neighbours))
            {
                for (int i = -3; i < Rounds; i++)
                {
                    double one = Time(pool, cores), other = Time(pool, Pieces);
                    if (i >= 0)
                    {
                        (own[i], shared[i]) = (one * 1e3, other * 1e3);
                    }
                }
            }

            Show($"{neighbours} busy neighbours, {cores} threads: one item per thread", own, "ms");
            Show($"{neighbours} busy neighbours, {cores} threads: {Pieces} items", shared, "ms");
        }

        return 0;
    }

    private static double[] Barrier(KernelThreadPool pool)
    {
        var times = new double[Calls];
        var job = new Meeting { Threads = pool.Threads };
        for (int i = -Calls; i < Calls; i++)
        {
            s_met = 0;
            long start = Stopwatch.GetTimestamp();
            pool.Run(ref job, pool.Threads);
            if (i >= 0)
            {
                times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            }
        }

        return times;
    }

    private static double Time(KernelThreadPool pool, int items)
    {
        var job = new Multiply { Steps = Work / items };
        long start = Stopwatch.GetTimestamp();
        pool.Run(ref job, items);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Show(string what, double[] values, string unit)
    {
        Array.Sort(values);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-55} mean {values.Average(),6:F2} {unit}, median {values[values.Length / 2],6:F2} {unit}, 99th percentile {values[(int)(values.Length * 0.99)],6:F2} {unit}"));
    }

    private struct Meeting : IKernelJob
    {
        public int Threads;

        public readonly void Execute(int item, int worker)
        {
            Interlocked.Increment(ref s_met);
            while (Volatile.Read(ref s_met) < Threads)
            {
                Thread.SpinWait(1);
            }
        }
    }

    private struct Multiply : IKernelJob
    {
        public int Steps;
        private float _sink;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int item, int worker)
        {
            Vector256<float> a = Vector256.Create(1f), b = Vector256.Create(0.5f), c = Vector256.Create((float)item);
            for (int i = 0; i < Steps; i++)
            {
                a = Vector256.MultiplyAddEstimate(a, b, c);
            }

            _sink = a[0];
        }
    }

    /// <summary>Threads that compute until they are disposed.</summary>
    private sealed class Neighbours : IDisposable
    {
        private readonly Thread[] _threads;
        private volatile bool _stop;

        public Neighbours(int count)
        {
            _threads = new Thread[count];
            for (int i = 0; i < count; i++)
            {
                _threads[i] = new Thread(() =>
                {
                    while (!_stop)
                    {
                    }
                });
                _threads[i].Start();
            }
        }

        public void Dispose()
        {
            _stop = true;
            foreach (Thread thread in _threads)
            {
                thread.Join();
            }
        }
    }
}
