using System.Runtime.ExceptionServices;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>Lets several threads work on items and hands the results on in the order of the items, a batch of bounded size at a time: the outcome does not depend on the number of threads.</summary>
internal static class OrderedBatches
{
    private const int MostItems = 1024;

    /// <summary>Runs all items through.</summary>
    /// <param name="items">The items, read on the calling thread.</param>
    /// <param name="size">What an item takes in memory.</param>
    /// <param name="mostSize">Most of that in a batch; one item is always taken.</param>
    /// <param name="threads">Threads at work.</param>
    /// <param name="worker">Makes what one thread works with.</param>
    /// <param name="work">Does the work on one item.</param>
    /// <param name="take">Gets each result, in order, on the calling thread.</param>
    /// <param name="stop">Ends the work between two batches.</param>
    public static void Run<TItem, TWorker, TResult>(
        IEnumerable<TItem> items,
        Func<TItem, long> size,
        long mostSize,
        int threads,
        Func<TWorker> worker,
        Func<TWorker, TItem, TResult> work,
        Action<TItem, TResult> take,
        CancellationToken stop)
    {
        var batch = new List<TItem>();
        var workers = new System.Collections.Concurrent.ConcurrentBag<TWorker>();
        long held = 0;
        foreach (TItem item in items)
        {
            batch.Add(item);
            held += size(item);
            if (batch.Count == MostItems || held >= mostSize)
            {
                Flush();
            }
        }

        Flush();

        void Flush()
        {
            stop.ThrowIfCancellationRequested();
            var results = new TResult[batch.Count];
            try
            {
                Parallel.For(
                    0,
                    batch.Count,
                    new ParallelOptions { MaxDegreeOfParallelism = threads },
                    () => workers.TryTake(out TWorker? idle) ? idle : worker(),
                    (i, _, mine) =>
                    {
                        results[i] = work(mine, batch[i]);
                        return mine;
                    },
                    workers.Add);
            }
            catch (AggregateException e) when (e.Flatten().InnerExceptions is [{ } first, ..])
            {
                ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions.FirstOrDefault(static x => x is PunaException) ?? first);
            }

            for (int i = 0; i < results.Length; i++)
            {
                take(batch[i], results[i]);
            }

            batch.Clear();
            held = 0;
        }
    }
}
