namespace Puna.Runtime.Constraints.Schema;

/// <summary>Reads the name of a property and says which class it is of: a named one, or one of the classes of other names. State 0 is the start.</summary>
internal sealed class KeyAutomaton
{
    private readonly int[] _starts;
    private readonly int[] _classOf;
    private readonly int _classes;
    private readonly int[] _next;
    private readonly int[] _keyClass;
    private readonly int _names;
    private readonly ulong[][] _reach;
    private readonly bool[][] _reachExtra;
    private readonly bool[] _anyExtra;
    private int[] _coverage = [];

    /// <param name="starts">First code point of each interval.</param>
    /// <param name="classOf">Character class of each interval.</param>
    /// <param name="classes">Number of character classes.</param>
    /// <param name="next">[states x classes], -1 for none.</param>
    /// <param name="keyClass">Class of the name that ends in a state, or -1.</param>
    /// <param name="names">Number of named properties.</param>
    /// <param name="extras">Number of classes of others.</param>
    public KeyAutomaton(int[] starts, int[] classOf, int classes, int[] next, int[] keyClass, int names, int extras)
    {
        (_starts, _classOf, _classes, _next, _keyClass, _names) = (starts, classOf, classes, next, keyClass, names);
        int count = keyClass.Length;
        _reach = new ulong[count][];
        _reachExtra = new bool[count][];
        _anyExtra = new bool[count];
        var sources = new List<int>[count];
        for (int s = 0; s < count; s++)
        {
            _reach[s] = new ulong[Math.Max(1, (names + 63) / 64)];
            _reachExtra[s] = new bool[extras];
            for (int c = 0; c < classes; c++)
            {
                if (next[s * classes + c] is >= 0 and int to)
                {
                    (sources[to] ??= []).Add(s);
                }
            }
        }

        // What is reachable flows backwards until nothing changes.
        var queue = new Queue<int>();
        for (int s = 0; s < count; s++)
        {
            if (keyClass[s] >= names)
            {
                _reachExtra[s][keyClass[s] - names] = true;
            }
            else if (keyClass[s] >= 0)
            {
                _reach[s][keyClass[s] >> 6] |= 1UL << (keyClass[s] & 63);
            }

            queue.Enqueue(s);
        }

        while (queue.TryDequeue(out int s))
        {
            foreach (int from in sources[s] ?? [])
            {
                bool changed = false;
                for (int w = 0; w < _reach[s].Length; w++)
                {
                    ulong joined = _reach[from][w] | _reach[s][w];
                    changed |= joined != _reach[from][w];
                    _reach[from][w] = joined;
                }

                for (int e = 0; e < extras; e++)
                {
                    changed |= _reachExtra[s][e] && !_reachExtra[from][e];
                    _reachExtra[from][e] |= _reachExtra[s][e];
                }

                if (changed)
                {
                    queue.Enqueue(from);
                }
            }
        }
    }

    public int KeyClass(int state) => _keyClass[state];

    public int Step(int state, int codePoint)
    {
        int i = Array.BinarySearch(_starts, codePoint);
        return _next[state * _classes + _classOf[i >= 0 ? i : ~i - 1]];
    }

    public bool IsReachable(int keyClass) => _keyClass.Length > 0 && (keyClass < _names ? ObjectShape.Has(_reach[0], keyClass) : _reachExtra[0][keyClass - _names]);

    public void Settle(bool[] usableExtra)
    {
        for (int s = 0; s < _anyExtra.Length; s++)
        {
            _anyExtra[s] = false;
            for (int e = 0; e < usableExtra.Length; e++)
            {
                _anyExtra[s] |= usableExtra[e] && _reachExtra[s][e];
            }
        }

        _coverage = new int[_anyExtra.Length];
        bool[] printable = new bool[_classes];
        for (int i = 0; i < _starts.Length; i++)
        {
            int end = i + 1 < _starts.Length ? _starts[i + 1] : Automata.CodePointDfa.Last + 1;
            for (int c = Math.Max(_starts[i], 0x20); c < end && !printable[_classOf[i]]; c = c == 0xD800 ? 0xE000 : c + 1)
            {
                printable[_classOf[i]] = c is not ('"' or '\\' or (>= 0xD800 and < 0xE000));
            }
        }

        // States from which any printable text may follow and leave an unnamed property possible.
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int s = 0; s < _coverage.Length; s++)
            {
                bool covered = _anyExtra[s];
                for (int c = 0; c < _classes && covered; c++)
                {
                    int to = _next[s * _classes + c];
                    covered = !printable[c] || (to >= 0 && _coverage[to] == 0 && _anyExtra[to]);
                }

                if (!covered && _coverage[s] == 0)
                {
                    _coverage[s] = -1;
                    changed = true;
                }
            }
        }
    }

    /// <summary>Whether any printable text may follow.</summary>
    public bool IsCovered(int state) => _coverage[state] == 0;

    /// <summary>Whether a name that may still be used can be completed from here.</summary>
    public bool IsLive(int state, ulong[] names, bool extras)
    {
        if (extras && _anyExtra[state])
        {
            return true;
        }

        ulong[] reach = _reach[state];
        for (int w = 0; w < reach.Length; w++)
        {
            if ((reach[w] & names[w]) != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether some code point in [low, high] leads to such a state.</summary>
    public bool AnyLive(int state, int low, int high, ulong[] names, bool extras)
    {
        int i = Array.BinarySearch(_starts, low);
        for (i = i >= 0 ? i : ~i - 1; i < _starts.Length && _starts[i] <= high; i++)
        {
            int to = _next[state * _classes + _classOf[i]];
            if (to >= 0 && IsLive(to, names, extras))
            {
                return true;
            }
        }

        return false;
    }
}
