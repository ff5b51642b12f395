using Puna.Runtime.Constraints;
using Puna.Tensors;

namespace Puna.Runtime.Chat;

/// <summary>
/// Compiles constraints, and keeps the latest used of them, by definition and within a number of bytes. Two threads that want the same one at the same time may both compile it. What
/// fails is not kept. Thread-safe.
/// </summary>
/// <param name="compiler">Compiles.</param>
/// <param name="capacity">Most bytes to keep.</param>
/// <param name="budget">Longest time that one may take to compile.</param>
/// <param name="time">The clock.</param>
internal sealed class ConstraintCache(IConstraintCompiler compiler, long capacity, TimeSpan budget, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(ReplyFormatKind, string), LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();
    private long _bytes;

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

    /// <summary>A constraint, compiled where it is not at hand.</summary>
    /// <exception cref="PunaException">It cannot be compiled, or not within the budget.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancel"/> says so.</exception>
    public ITokenConstraint Get(ReplyFormatKind kind, string definition, CancellationToken cancel)
    {
        (ReplyFormatKind, string) key = (kind, definition);
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out LinkedListNode<Entry>? found))
            {
                _byUse.Remove(found);
                _byUse.AddLast(found);
                return found.Value.Constraint;
            }
        }

        Entry entry = Compile(key, cancel);
        lock (_lock)
        {
            // One that is larger than the whole cache is used once; another thread may have been faster.
            if (entry.Bytes <= capacity && !_entries.ContainsKey(key))
            {
                _entries.Add(key, _byUse.AddLast(entry));
                _bytes += entry.Bytes;
                while (_bytes > capacity)
                {
                    Entry oldest = _byUse.First!.Value;
                    _byUse.RemoveFirst();
                    _entries.Remove(oldest.Key);
                    _bytes -= oldest.Bytes;
                }
            }
        }

        return entry.Constraint;
    }

    private Entry Compile((ReplyFormatKind Kind, string Definition) key, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(budget, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        try
        {
            (ITokenConstraint constraint, long bytes) = compiler.Compile(key.Kind, key.Definition, both.Token);
            return new Entry(key, constraint, bytes + (2L * key.Definition.Length));
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new PunaException($"constraint: expected one that compiles within {budget.TotalSeconds:0.###} s, got one that does not", e);
        }
    }

    private sealed record Entry((ReplyFormatKind, string) Key, ITokenConstraint Constraint, long Bytes);
}
