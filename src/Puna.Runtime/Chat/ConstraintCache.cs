using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Puna.Runtime.Constraints;
using Puna.Tensors;

namespace Puna.Runtime.Chat;

/// <summary>
/// Compiles constraints, and keeps the latest used of them, by definition and within a number of bytes; they grow while they are used, and are measured anew whenever one is asked for. Two threads that
/// want the same one at the same time may both compile it. What fails is not kept, but what had its whole time and was not done is refused at once for a while. Thread-safe.
/// </summary>
/// <param name="compiler">Compiles.</param>
/// <param name="capacity">Most bytes to keep.</param>
/// <param name="budget">Longest time that one may take to compile.</param>
/// <param name="time">The clock.</param>
internal sealed class ConstraintCache(IConstraintCompiler compiler, long capacity, TimeSpan budget, TimeProvider time)
{
    private const int MostLate = 1024;
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<(ReplyFormatKind, string), LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();
    private readonly Dictionary<UInt128, long> _late = []; // hashes of definitions that took too long, and when that was

    /// <summary>Constraints kept.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>Keeps nothing any more; constraints in use go on.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _entries.Clear();
            _byUse.Clear();
            _late.Clear();
        }
    }

    /// <summary>What the constraints of a request may take together: twice what one may.</summary>
    public CompileAllowance Allow() => new(2 * budget);

    /// <summary>A constraint, compiled where it is not at hand.</summary>
    /// <param name="kind">What the definition is.</param>
    /// <param name="definition">The definition.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <param name="allowance">What the constraints of a request may take together; null where this is the only one.</param>
    /// <exception cref="PunaException">It cannot be compiled, or not within the time.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancel"/> says so.</exception>
    public ITokenConstraint Get(ReplyFormatKind kind, string definition, CancellationToken cancel, CompileAllowance? allowance = null)
    {
        (ReplyFormatKind, string) key = (kind, definition);
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out LinkedListNode<Entry>? found))
            {
                _byUse.Remove(found);
                _byUse.AddLast(found);
                Trim();
                return found.Value.Constraint;
            }
        }

        Entry entry = Compile(key, allowance, cancel);
        lock (_lock)
        {
            // One that is larger than the whole cache is used once; another thread may have been faster.
            if (entry.Bytes <= capacity && !_entries.ContainsKey(key))
            {
                _entries.Add(key, _byUse.AddLast(entry));
                Trim();
            }
        }

        return entry.Constraint;
    }

    private void Trim()
    {
        long bytes = _byUse.Sum(static entry => entry.Bytes);
        while (bytes > capacity && _byUse.First is { Value: var oldest })
        {
            bytes -= oldest.Bytes;
            _byUse.RemoveFirst();
            _entries.Remove(oldest.Key);
        }
    }

    private Entry Compile((ReplyFormatKind Kind, string Definition) key, CompileAllowance? allowance, CancellationToken cancel)
    {
        compiler.Prepare();
        UInt128 name = Hash(key);
        lock (_lock)
        {
            if (_late.TryGetValue(name, out long when) && time.GetElapsedTime(when) < Memory)
            {
                throw TooLong(budget);
            }
        }

        TimeSpan most = allowance is { } a && a.Left < budget ? a.Left : budget;
        if (most == TimeSpan.Zero)
        {
            throw TooLong(2 * budget, null, " with the others of its request");
        }

        long started = time.GetTimestamp();
        using var limit = new CancellationTokenSource(most, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        try
        {
            (ITokenConstraint constraint, long bytes) = compiler.Compile(key.Kind, key.Definition, both.Token);
            return new Entry(key, constraint, bytes + (2L * key.Definition.Length));
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            if (most < budget)
            {
                throw TooLong(2 * budget, e, " with the others of its request");
            }

            Remember(name);
            throw TooLong(budget, e);
        }
        finally
        {
            allowance?.Spend(time.GetElapsedTime(started));
        }
    }

    private void Remember(UInt128 name)
    {
        lock (_lock)
        {
            if (_late.Count >= MostLate)
            {
                _late.Clear();
            }

            _late[name] = time.GetTimestamp();
        }
    }

    private static PunaException TooLong(TimeSpan most, Exception? inner = null, string with = "") =>
        new($"constraint: expected one that compiles within {most.TotalSeconds:0.###} s{with}, got one that does not", inner);

    private static UInt128 Hash((ReplyFormatKind Kind, string Definition) key)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(key.Definition.AsSpan()), digest);
        return BinaryPrimitives.ReadUInt128LittleEndian(digest) ^ (UInt128)(int)key.Kind;
    }

    private sealed record Entry((ReplyFormatKind, string) Key, ITokenConstraint Constraint, long OwnBytes)
    {
        public long Bytes => OwnBytes + ((Constraint as IMeasuredConstraint)?.MetBytes ?? 0);
    }
}
