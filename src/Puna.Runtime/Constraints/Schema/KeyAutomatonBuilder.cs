using System.Text;
using Puna.Runtime.Constraints.Automata;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Combines the names of properties, the patterns of others and what names may be into one automaton.</summary>
internal sealed class KeyAutomatonBuilder
{
    private readonly CodePointDfa[] _parts;
    private readonly bool _restricted;
    private readonly List<Dictionary<int, int>> _trie = [new()];
    private readonly List<int> _nameAt = [-1];
    private readonly SortedSet<int> _letters = [];
    private readonly List<bool[]> _patternSets = [];
    private readonly int _patterns;
    private readonly List<int> _next = [];
    private readonly List<int> _keyClass = [];
    private readonly int _names;
    private readonly CompileBudget _budget;
    private readonly string _where;
    private int[] _starts = [];
    private int[] _classOf = [];
    private int _classes;

    public KeyAutomatonBuilder(Dictionary<string, int> names, CodePointDfa[] patterns, CodePointDfa? allowed, CompileBudget budget, string where)
    {
        (_names, _patterns, _restricted, _budget, _where) = (names.Count, patterns.Length, allowed is not null, budget, where);
        _parts = allowed is null ? patterns : [.. patterns, allowed];
        foreach ((string name, int index) in names)
        {
            int at = 0;
            foreach (Rune rune in name.EnumerateRunes())
            {
                _letters.Add(rune.Value);
                if (!_trie[at].TryGetValue(rune.Value, out int to))
                {
                    to = _trie.Count;
                    _trie[at].Add(rune.Value, to);
                    _trie.Add(new());
                    _nameAt.Add(-1);
                    budget.States(to, where);
                }

                at = to;
            }

            _nameAt[at] = index;
        }

        Explore();
    }

    /// <summary>The classes of names no schema names: which patterns they match.</summary>
    public IReadOnlyList<bool[]> PatternSets => _patternSets;

    public KeyAutomaton Build() => new(_starts, _classOf, _classes, [.. _next], [.. _keyClass], _names, _patternSets.Count);

    private void Explore()
    {
        _starts = [.. _letters.Concat(_letters.Select(c => c + 1)).Concat(_parts.SelectMany(p => p.Starts)).Append(0).Where(c => c <= CodePointDfa.Last).Distinct().Order()];
        _classOf = new int[_starts.Length];
        var classIds = new Dictionary<string, int>(StringComparer.Ordinal);
        var examples = new List<int>();
        for (int i = 0; i < _starts.Length; i++)
        {
            int c = _starts[i];
            string key = (_letters.Contains(c) ? c : -1) + ":" + string.Join(',', _parts.Select(p => p.ClassIndex(c)));
            if (!classIds.TryGetValue(key, out _classOf[i]))
            {
                classIds.Add(key, _classOf[i] = classIds.Count);
                examples.Add(c);
            }
        }

        _classes = classIds.Count;
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var states = new List<int[]>();
        var setIds = new Dictionary<string, int>(StringComparer.Ordinal);
        int Id(int[] state)
        {
            if (_restricted && state[^1] < 0)
            {
                return -1;
            }

            string key = string.Join(',', state);
            if (!ids.TryGetValue(key, out int id))
            {
                ids.Add(key, id = states.Count);
                states.Add(state);
                _keyClass.Add(Class(state, setIds));
                _budget.States(states.Count, _where);
            }

            return id;
        }

        int[] start = new int[1 + _parts.Length];
        for (int p = 0; p < _parts.Length; p++)
        {
            start[p + 1] = _parts[p].IsEmpty ? -1 : 0;
        }

        Id(start);
        for (int s = 0; s < states.Count; s++)
        {
            int[] state = states[s];
            foreach (int c in examples)
            {
                _budget.Tick(_where);
                int[] to = new int[state.Length];
                to[0] = state[0] >= 0 && _trie[state[0]].TryGetValue(c, out int node) ? node : -1;
                for (int p = 0; p < _parts.Length; p++)
                {
                    to[p + 1] = state[p + 1] < 0 ? -1 : _parts[p].Step(state[p + 1], c);
                }

                _next.Add(Id(to));
            }
        }
    }

    private int Class(int[] state, Dictionary<string, int> setIds)
    {
        if (_restricted && !_parts[^1].Accepting[state[^1]])
        {
            return -1;
        }

        if (state[0] >= 0 && _nameAt[state[0]] >= 0)
        {
            return _nameAt[state[0]];
        }

        bool[] set = new bool[_patterns];
        for (int p = 0; p < _patterns; p++)
        {
            set[p] = state[p + 1] >= 0 && _parts[p].Accepting[state[p + 1]];
        }

        string key = string.Join(',', set);
        if (!setIds.TryGetValue(key, out int id))
        {
            setIds.Add(key, id = setIds.Count);
            _patternSets.Add(set);
        }

        return _names + id;
    }
}
