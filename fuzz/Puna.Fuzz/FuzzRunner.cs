using System.Diagnostics;
using Puna.Tensors;

namespace Puna.Fuzz;

/// <summary>
/// Runs mutated inputs through a target in this process. A finding is: an exception that is no <see cref="PunaException"/>, an input that takes longer than the
/// watchdog allows, an input that makes the parser allocate more than its cap, a member of the corpus that is refused, or any refusal where the target accepts
/// everything.
/// </summary>
public sealed class FuzzRunner
{
    private const int StackBytes = 1 << 20; // what a thread of a server or a Windows program has: deeper recursion ends the process
    private const long AllocationBase = 64L << 20;
    private const int AllocationPerByte = 16;

    private readonly IFuzzTarget _target;
    private readonly long _seed;
    private readonly Action<long>? _before;
    private long _accepted;
    private long _inputs;
    private long _largest;
    private FuzzFinding? _finding;
    private (long Iteration, long Started, byte[] Input) _current; // guarded by _lock
    private readonly Lock _lock = new();

    /// <summary>Prepares a run.</summary>
    /// <param name="target">The parser.</param>
    /// <param name="seed">Names the sequence of inputs.</param>
    /// <param name="before">Called with the number of each input before it is run, for a note that outlives the process.</param>
    public FuzzRunner(IFuzzTarget target, long seed, Action<long>? before = null)
    {
        _target = target;
        _seed = seed;
        _before = before;
    }

    /// <summary>How long one input may take.</summary>
    public TimeSpan Watchdog { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often each kind of refusal (its message without numbers, cut short) was given: a target whose inputs all fail in the same place tests
    /// little.</summary>
    public Dictionary<string, int> Refusals { get; } = new(StringComparer.Ordinal);

    /// <summary>Runs the corpus and then inputs <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> - 1, up to the first
    /// finding.</summary>
    public FuzzReport Run(long first, long count)
    {
        long begun = Stopwatch.GetTimestamp();
        var worker = new Thread(() => Work(first, count), StackBytes) { IsBackground = true, Name = "fuzz " + _target.Name };
        worker.Start();
        while (!worker.Join(TimeSpan.FromMilliseconds(200)))
        {
            lock (_lock)
            {
                if (_current.Input is not null && Stopwatch.GetElapsedTime(_current.Started) > Watchdog)
                {
                    // The thread cannot be ended; it is left behind and the process, or the test, ends soon.
                    var hang = new FuzzFinding(_current.Iteration, $"took longer than {Watchdog.TotalSeconds} s", _current.Input);
                    return new FuzzReport(_target.Name, _seed, _inputs, _accepted, _largest, Stopwatch.GetElapsedTime(begun), hang);
                }
            }
        }

        return new FuzzReport(_target.Name, _seed, _inputs, _accepted, _largest, Stopwatch.GetElapsedTime(begun), _finding);
    }

    /// <summary>The input of one iteration: it follows from target, seed and number alone.</summary>
    public byte[] Input(long iteration)
    {
        FuzzRandom random = FuzzRandom.For(_target.Name, _seed, iteration);
        byte[] input = _target.Corpus[random.Below(_target.Corpus.Count)];
        int how = random.Below(8);
        byte[]? changed = how < 2 ? null : _target.MutateStructure(random, input);
        return changed is null || how == 2 ? ByteMutator.Mutate(random, changed ?? input, _target.Corpus) : changed;
    }

    private void Work(long first, long count)
    {
        IReadOnlyList<byte[]> corpus = _target.Corpus;
        for (int i = 0; i < corpus.Count && _finding is null; i++)
        {
            if (!RunOne(-1 - i, corpus[i], out string refusal) && _finding is null)
            {
                _finding = new FuzzFinding(-1 - i, "a valid input of the corpus is refused: " + refusal, corpus[i]);
            }
        }

        for (long i = first; i < first + count && _finding is null; i++)
        {
            _before?.Invoke(i);
            bool accepted = RunOne(i, Input(i), out string refusal);
            if (!accepted)
            {
                string kind = Kind(refusal);
                Refusals[kind] = Refusals.GetValueOrDefault(kind) + 1;
            }

            _inputs++;
            _accepted += accepted ? 1 : 0;
        }

        lock (_lock)
        {
            _current = default;
        }
    }

    private static string Kind(string refusal)
    {
        const int Length = 60;
        Span<char> kind = stackalloc char[Length];
        int length = 0;
        foreach (char letter in refusal)
        {
            if (length < Length && !char.IsAsciiDigit(letter))
            {
                kind[length++] = letter;
            }
        }

        return new string(kind[..length]);
    }

    /// <summary>Runs one input; true where it was accepted.</summary>
    private bool RunOne(long iteration, byte[] input, out string refusal)
    {
        lock (_lock)
        {
            _current = (iteration, Stopwatch.GetTimestamp(), input);
        }

        refusal = string.Empty;
        bool accepted = false;
        long before = GC.GetAllocatedBytesForCurrentThread() + NativeStorage.AllocatedBytesForCurrentThread;
        try
        {
            _target.Run(input);
            accepted = true;
        }
        catch (PunaException e)
        {
            refusal = e.Message;
            if (e.Message.AsSpan().ContainsAny('\n', '\r'))
            {
                _finding = new FuzzFinding(iteration, "an error of more than one line", input);
            }
            else if (_target.AcceptsEverything)
            {
                _finding = new FuzzFinding(iteration, "a target that accepts everything refused: " + refusal, input);
            }
        }
        catch (Exception e)
        {
            _finding = new FuzzFinding(iteration, e.ToString(), input);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() + NativeStorage.AllocatedBytesForCurrentThread - before;
        _largest = Math.Max(_largest, allocated);
        long cap = AllocationBase + (AllocationPerByte * (long)input.Length);
        if (allocated > cap)
        {
            _finding ??= new FuzzFinding(iteration, $"allocated {allocated} bytes for an input of {input.Length}, more than the cap of {cap}", input);
        }

        return accepted;
    }
}
