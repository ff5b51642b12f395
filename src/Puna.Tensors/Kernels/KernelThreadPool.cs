using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels;

/// <summary>One kernel call cut into independent items. A struct of plain numbers and addresses, so that handing it to other threads allocates nothing.</summary>
public interface IKernelJob
{
    /// <summary>Computes one item. Which thread does it, and in which order, must not change a bit of the result.</summary>
    /// <param name="item">Index of the item.</param>
    /// <param name="worker">Index of the calling thread in <c>[0, Threads)</c>, to choose its scratch memory.</param>
    void Execute(int item, int worker);
}

/// <summary>
/// Threads that share the items of a kernel call. The caller works too. Items are taken one by one, so a thread that the operating system holds up
/// delays only its own item. Idle threads spin for a short while, then give their core away, then sleep.
/// </summary>
/// <remarks>
/// Calls from several threads are carried out one after the other. A job must not start another one. Where an item throws, the others are still done, and then the
/// first exception is thrown to the caller.
/// </remarks>
public sealed unsafe class KernelThreadPool : IDisposable
{
    private const int SpinsBeforeYield = 400;
    private const int YieldsBeforeSleep = 40;

    private readonly Lock _callers = new();
    private readonly object _sleep = new();
    private readonly Thread[] _threads;

    // Generation in the upper half, items not yet taken in the lower half. Taking an item is one compare-and-swap; a job's fields are published before
    // its ticket and stay until all its items are done, so whoever swaps successfully has read the fields of that very job.
    private long _ticket;
    private int _unfinished;
    private int _items;
    private nint _job;
    private delegate*<nint, int, int, void> _execute;
    private volatile int _sleepers;
    private volatile bool _stop;
    private Exception? _error;

    /// <summary>Starts the threads.</summary>
    /// <param name="threads">Threads that compute, the caller included; 0 means one per core.</param>
    public KernelThreadPool(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        Threads = threads == 0 ? Environment.ProcessorCount : threads;
        _threads = new Thread[Threads - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"puna-kernel-{worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Threads that compute, the caller included.</summary>
    public int Threads { get; }

    /// <summary>Carries out all items of a job and returns when they are done.</summary>
    public void Run<TJob>(ref TJob job, int items)
        where TJob : unmanaged, IKernelJob
    {
        if (items <= 1 || Threads == 1)
        {
            for (int i = 0; i < items; i++)
            {
                job.Execute(i, 0);
            }

            return;
        }

        lock (_callers)
        {
            fixed (TJob* address = &job)
            {
                _job = (nint)address;
                _execute = &Execute<TJob>;
                _items = items;
                Volatile.Write(ref _unfinished, items);
                long generation = (_ticket >> 32) + 1;
                Interlocked.Exchange(ref _ticket, (generation << 32) | (uint)items);
                if (_sleepers > 0)
                {
                    lock (_sleep)
                    {
                        Monitor.PulseAll(_sleep);
                    }
                }

                TakeItems(0);
                int spins = 0;
                while (Volatile.Read(ref _unfinished) != 0)
                {
                    Pause(ref spins);
                }
            }

            Exception? error = Interlocked.Exchange(ref _error, null);
            if (error is not null)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
            }
        }
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        _stop = true;
        lock (_sleep)
        {
            Monitor.PulseAll(_sleep);
        }

        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private static void Execute<TJob>(nint job, int item, int worker)
        where TJob : unmanaged, IKernelJob => ((TJob*)job)->Execute(item, worker);

    private static void Pause(ref int spins)
    {
        if (++spins < SpinsBeforeYield)
        {
            Thread.SpinWait(8);
        }
        else
        {
            Thread.Yield();
        }
    }

    private bool TakeItems(int worker)
    {
        bool any = false;
        while (true)
        {
            long ticket = Interlocked.Read(ref _ticket);
            int left = (int)(uint)ticket;
            if (left == 0)
            {
                return any;
            }

            nint job = _job;
            int items = _items;
            delegate*<nint, int, int, void> execute = _execute;
            if (Interlocked.CompareExchange(ref _ticket, ticket - 1, ticket) == ticket)
            {
                Debug.Assert(left <= items);
                try
                {
                    execute(job, items - left, worker);
                }
                catch (Exception e)
                {
                    // Not to unwind here: the caller's stack frame holds the job that other threads still read, and a worker's exception would end the process.
                    Interlocked.CompareExchange(ref _error, e, null);
                }

                Interlocked.Decrement(ref _unfinished);
                any = true;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Work(int worker)
    {
        int idle = 0;
        while (!_stop)
        {
            if (TakeItems(worker))
            {
                idle = 0;
            }
            else if (idle < SpinsBeforeYield + YieldsBeforeSleep)
            {
                Pause(ref idle);
            }
            else
            {
                Sleep();
                idle = 0;
            }
        }
    }

    private void Sleep()
    {
        lock (_sleep)
        {
            _sleepers++;
            // A caller publishes its ticket before it looks at _sleepers, and this looks at the ticket after counting itself: one of the two sees the other.
            Interlocked.MemoryBarrier();
            if ((uint)Interlocked.Read(ref _ticket) == 0 && !_stop)
            {
                Monitor.Wait(_sleep);
            }

            _sleepers--;
        }
    }
}
