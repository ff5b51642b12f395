using System.Collections.Concurrent;

namespace Puna.Soak;

/// <summary>What became of the requests.</summary>
internal sealed class Tally
{
    private readonly ConcurrentDictionary<string, long> _outcomes = new();
    private readonly ConcurrentQueue<string> _faults = new();
    private long _requests;

    /// <summary>Requests sent.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>What ought not to have happened, the first hundred.</summary>
    public IReadOnlyCollection<string> Faults => _faults;

    /// <summary>How often each outcome was met, by name.</summary>
    public IEnumerable<KeyValuePair<string, long>> Outcomes => _outcomes.OrderBy(static o => o.Key, StringComparer.Ordinal);

    /// <summary>Counts a request that ended as it may.</summary>
    public void Count(string outcome)
    {
        Interlocked.Increment(ref _requests);
        _outcomes.AddOrUpdate(outcome, 1, static (_, n) => n + 1);
    }

    /// <summary>Notes a request that did not.</summary>
    public void Fault(string what)
    {
        Count("fault");
        if (_faults.Count < 100)
        {
            _faults.Enqueue(what);
        }
    }
}
