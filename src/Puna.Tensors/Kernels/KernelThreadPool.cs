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
/// Threads that share the items of a kernel call. The caller works too. Every thread has a range of items which it takes one by one, in order, so that it reads memory as one stream;
/// with its range at an end it takes items from the ends of the others', so a thread that the operating system holds up delays only its own item. Idle threads spin for a short while,
/// then give their core away, then sleep.
/// </summary>
/// <remarks>
/// Calls from several threads are carried out one after the other. A job must not start another one. Where an item throws, the others are still done, and then the
/// first exception is thrown to the caller.
/// </remarks>
public sealed unsafe class KernelThreadPool : IDisposable
{
    private const int SpinsBeforeYield = 400;
    private const int YieldsBeforeSleep = 40;
    private const int MostItems = 0xFFFF;

    // Longs from a thread's ticket to the next one's: two cache lines.
    private const int TicketStride = 16;

    private readonly Lock _callers = new();
    private readonly object _sleep = new();
    private readonly Thread[] _threads;

    // Per thread: generation in the upper half, then the end of the items not yet taken, then the first of them. Taking an item is one compare-and-swap; a job's fields are published
    // before its tickets and stay until all its items are done, so whoever swaps successfully has read the fields of that very job.
    private readonly long[] _tickets;
    private long _generation;
    private int _unfinished;
    private int _first;
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
        _tickets = new long[Threads * TicketStride];
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
                for (int first = 0; first < items; first += MostItems)
                {
                    Round(first, Math.Min(MostItems, items - first));
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

    private void Round(int first, int count)
    {
        _first = first;
        Volatile.Write(ref _unfinished, count);
        _generation++;
        for (int i = 0; i < Threads; i++)
        {
            long from = (long)count * i / Threads, end = (long)count * (i + 1) / Threads;
            Interlocked.Exchange(ref _tickets[i * TicketStride], (_generation << 32) | (end << 16) | from);
        }

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
        for (int i = 0; i < Threads; i++)
        {
            int owner = worker + i < Threads ? worker + i : worker + i - Threads;
            while (TakeItem(owner, worker))
            {
                any = true;
            }
        }

        return any;
    }

    /// <summary>Takes an item of a thread's range and does it, unless another thread was faster; false where none is left.</summary>
    private bool TakeItem(int owner, int worker)
    {
        ref long place = ref _tickets[owner * TicketStride];
        long ticket = Interlocked.Read(ref place);
        int from = (int)(ticket & 0xFFFF), end = (int)((ticket >> 16) & 0xFFFF);
        if (from == end)
        {
            return false;
        }

        nint job = _job;
        int first = _first;
        delegate*<nint, int, int, void> execute = _execute;
        bool own = owner == worker;
        if (Interlocked.CompareExchange(ref place, own ? ticket + 1 : ticket - 0x1_0000, ticket) == ticket)
        {
            Debug.Assert(from < end);
            try
            {
                execute(job, first + (own ? from : end - 1), worker);
            }
            catch (Exception e)
            {
                // Not to unwind here: the caller's stack frame holds the job that other threads still read, and a worker's exception would end the process.
                Interlocked.CompareExchange(ref _error, e, null);
            }

            Interlocked.Decrement(ref _unfinished);
        }

        return true;
    }

    private bool AnyLeft()
    {
        for (int i = 0; i < Threads; i++)
        {
            long ticket = Interlocked.Read(ref _tickets[i * TicketStride]);
            if ((ticket & 0xFFFF) != ((ticket >> 16) & 0xFFFF))
            {
                return true;
            }
        }

        return false;
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
            // A caller publishes its tickets before it looks at _sleepers, and this looks at the tickets after counting itself: one of the two sees the other.
            Interlocked.MemoryBarrier();
            if (!AnyLeft() && !_stop)
            {
                Monitor.Wait(_sleep);
            }

            _sleepers--;
        }
    }
}
