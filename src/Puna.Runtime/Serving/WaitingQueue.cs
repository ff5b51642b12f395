namespace Puna.Runtime.Serving;

/// <summary>
/// Requests that wait, per key in the order they came. The key whose requests have had the fewest tokens computed comes next, so keys get equal shares however many requests they
/// send. One that comes back after a pause starts level with those that wait or run: it can neither save up nor be owed. Belongs to the engine's thread.
/// </summary>
internal sealed class WaitingQueue
{
    private readonly Dictionary<string, KeyState> _keys = new(StringComparer.Ordinal);

    /// <summary>Requests that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a request that has come.</summary>
    public void Add(ActiveRequest request)
    {
        KeyState key = Enter(request.Request.Key);
        key.Active++;
        key.Waiting.AddLast(request);
        Count++;
    }

    /// <summary>Puts back a request that was taken and set back: it is next of its key.</summary>
    public void PutBack(ActiveRequest request)
    {
        _keys[request.Request.Key].Waiting.AddFirst(request);
        Count++;
    }

    /// <summary>The request to be taken next, or null.</summary>
    public ActiveRequest? Peek()
    {
        KeyState? best = null;
        foreach (KeyState key in _keys.Values)
        {
            if (key.Waiting.Count > 0 && (best is null || key.Served < best.Served || (key.Served == best.Served && key.Waiting.First!.Value.Id < best.Waiting.First!.Value.Id)))
            {
                best = key;
            }
        }

        return best?.Waiting.First!.Value;
    }

    /// <summary>Takes a request out of the queue; it still counts for its key until <see cref="Leave"/>.</summary>
    public void Take(ActiveRequest request)
    {
        _keys[request.Request.Key].Waiting.Remove(request);
        Count--;
    }

    /// <summary>Says that a request is over.</summary>
    public void Leave(ActiveRequest request)
    {
        KeyState key = _keys[request.Request.Key];
        if (--key.Active == 0)
        {
            _keys.Remove(request.Request.Key);
        }
    }

    /// <summary>Counts tokens computed for a key.</summary>
    public void Charge(ActiveRequest request, int tokens) => _keys[request.Request.Key].Served += tokens;

    /// <summary>All requests that wait, in no order.</summary>
    public List<ActiveRequest> All() => [.. _keys.Values.SelectMany(static k => k.Waiting)];

    private KeyState Enter(string name)
    {
        if (_keys.TryGetValue(name, out KeyState? key))
        {
            return key;
        }

        long level = long.MaxValue;
        foreach (KeyState other in _keys.Values)
        {
            level = Math.Min(level, other.Served);
        }

        key = new KeyState { Served = _keys.Count == 0 ? 0 : level };
        _keys.Add(name, key);
        return key;
    }

    private sealed class KeyState
    {
        public LinkedList<ActiveRequest> Waiting { get; } = new();

        public int Active { get; set; }

        public long Served { get; set; }
    }
}
