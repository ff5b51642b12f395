using System.Diagnostics;

namespace Puna.Cli.Diagnostics;

/// <summary>Times work that several threads do at once.</summary>
internal static class ThreadedPass
{
    /// <summary>Runs the work on every thread and returns the seconds from the first one's start to the last one's end; starting the threads does not count.</summary>
    /// <param name="threads">How many, at least one.</param>
    /// <param name="work">Gets the number of its thread, from 0.</param>
    public static double Run(int threads, Action<int> work)
    {
        var started = new long[threads];
        var ended = new long[threads];
        using var together = new Barrier(threads);
        var workers = new Thread[threads];
        for (int t = 0; t < threads; t++)
        {
            int me = t;
            workers[t] = new Thread(() =>
            {
                together.SignalAndWait();
                started[me] = Stopwatch.GetTimestamp();
                work(me);
                ended[me] = Stopwatch.GetTimestamp();
            })
            { IsBackground = true };
            workers[t].Start();
        }

        foreach (Thread worker in workers)
        {
            worker.Join();
        }

        return Math.Max(Stopwatch.GetElapsedTime(started.Min(), ended.Max()).TotalSeconds, 1e-9);
    }
}
