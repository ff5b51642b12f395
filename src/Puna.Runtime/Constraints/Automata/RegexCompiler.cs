using System.Runtime.InteropServices;

namespace Puna.Runtime.Constraints.Automata;

/// <summary>Turns regular expressions into automata by the subset construction. Anchors may stand anywhere.</summary>
internal sealed class RegexCompiler
{
    private readonly CompileBudget _budget;
    private readonly string _where;

    // An edge is followed on a set (Set not null), at the beginning only (Kind 1), at the end only (Kind 2) or always (Kind 0).
    private readonly List<List<(int To, CodePointSet? Set, int Kind)>> _edges = [];

    private RegexCompiler(CompileBudget budget, string where) => (_budget, _where) = (budget, where);

    /// <param name="text">The expression.</param>
    /// <param name="search">Whether it may match anywhere in the text (JSON Schema) or must match all of it.</param>
    /// <param name="budget">Limits.</param>
    /// <param name="where">For messages.</param>
    public static CodePointDfa Compile(string text, bool search, CompileBudget budget, string where)
    {
        RegexNode node = RegexParser.Parse(text, budget.Limits.MaxDepth, where);
        if (search)
        {
            var any = new RegexNode.Repeat(new RegexNode.Set(CodePointSet.All), 0, null);
            node = new RegexNode.Sequence([any, node, any]);
        }

        return Compile(node, budget, where);
    }

    public static CodePointDfa Compile(RegexNode node, CompileBudget budget, string where)
    {
        var compiler = new RegexCompiler(budget, where);
        int start = compiler.NewState();
        int end = compiler.NewState();
        compiler.Build(node, start, end);
        return compiler.Determinise(start, end);
    }

    private int NewState()
    {
        _edges.Add([]);
        _budget.States(_edges.Count, _where);
        return _edges.Count - 1;
    }

    private void Build(RegexNode node, int from, int to)
    {
        switch (node)
        {
            case RegexNode.Set { Points: var points }:
                _edges[from].Add((to, points, 0));
                break;
            case RegexNode.Anchor { End: var end }:
                _edges[from].Add((to, null, end ? 2 : 1));
                break;
            case RegexNode.Sequence { Parts: var parts }:
                foreach (RegexNode part in parts)
                {
                    int middle = NewState();
                    Build(part, from, middle);
                    from = middle;
                }

                _edges[from].Add((to, null, 0));
                break;
            case RegexNode.Choice { Parts: var parts }:
                foreach (RegexNode part in parts)
                {
                    int inner = NewState();
                    _edges[from].Add((inner, null, 0));
                    Build(part, inner, to);
                }

                break;
            case RegexNode.Repeat { Part: var part, Min: var min, Max: var max }:
                for (int i = 0; i < min; i++)
                {
                    int middle = NewState();
                    Build(part, from, middle);
                    from = middle;
                }

                if (max is null)
                {
                    int loop = NewState();
                    _edges[from].Add((loop, null, 0));
                    int back = NewState();
                    Build(part, loop, back);
                    _edges[back].Add((loop, null, 0));
                    _edges[loop].Add((to, null, 0));
                    break;
                }

                for (int i = min; i < max; i++)
                {
                    _edges[from].Add((to, null, 0));
                    int middle = NewState();
                    Build(part, from, middle);
                    from = middle;
                }

                _edges[from].Add((to, null, 0));
                break;
        }
    }

    private CodePointDfa Determinise(int start, int end)
    {
        (int[] starts, int[] classOf, int classes, Dictionary<CodePointSet, int[]> classesOf) = Classify();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var subsets = new List<int[]>();
        var accepting = new List<bool>();
        var next = new List<int>();
        int Id(int[] kernel, bool beginning)
        {
            int[] closed = Close(kernel, beginning, false);
            string key = new string(MemoryMarshal.Cast<int, char>(closed)) + (beginning ? "^" : "");
            if (!ids.TryGetValue(key, out int id))
            {
                ids.Add(key, id = subsets.Count);
                subsets.Add(closed);
                accepting.Add(Close(kernel, beginning, true).Contains(end));
                _budget.States(subsets.Count, _where);
            }

            return id;
        }

        Id([start], true);
        var targets = new HashSet<int>[classes];
        for (int c = 0; c < classes; c++)
        {
            targets[c] = [];
        }

        for (int s = 0; s < subsets.Count; s++)
        {
            foreach (int state in subsets[s])
            {
                _budget.Tick(_where);
                foreach ((int to, CodePointSet? set, _) in _edges[state])
                {
                    foreach (int c in set is null ? [] : classesOf[set])
                    {
                        targets[c].Add(to);
                    }
                }
            }

            for (int c = 0; c < classes; c++)
            {
                next.Add(targets[c].Count == 0 ? -1 : Id([.. targets[c].Order()], false));
                targets[c].Clear();
            }
        }

        return new(starts, classOf, classes, [.. next], [.. accepting]);
    }

    private int[] Close(int[] kernel, bool beginning, bool ending)
    {
        var seen = new HashSet<int>(kernel);
        var stack = new Stack<int>(kernel);
        while (stack.TryPop(out int s))
        {
            _budget.Tick(_where);
            foreach ((int to, CodePointSet? set, int kind) in _edges[s])
            {
                if (set is null && (kind == 0 || (kind == 1 && beginning) || (kind == 2 && ending)) && seen.Add(to))
                {
                    stack.Push(to);
                }
            }
        }

        return [.. seen.Order()];
    }

    private (int[] Starts, int[] ClassOf, int Classes, Dictionary<CodePointSet, int[]> ClassesOf) Classify()
    {
        CodePointSet[] sets = [.. _edges.SelectMany(list => list).Where(edge => edge.Set is not null).Select(edge => edge.Set!).Distinct()];
        int[] starts = [.. sets.SelectMany(set => set.Ranges).SelectMany(range => (int[])[range.Low, range.High + 1]).Append(0).Where(c => c <= CodePointDfa.Last).Distinct().Order()];
        var members = new List<int>[starts.Length];
        for (int i = 0; i < starts.Length; i++)
        {
            members[i] = [];
        }

        for (int s = 0; s < sets.Length; s++)
        {
            foreach ((int low, int high) in sets[s].Ranges)
            {
                for (int i = Array.BinarySearch(starts, low); i < starts.Length && starts[i] <= high; i++)
                {
                    _budget.Tick(_where);
                    members[i].Add(s);
                }
            }
        }

        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        int[] classOf = new int[starts.Length];
        var classesOf = sets.ToDictionary(set => set, _ => new HashSet<int>());
        for (int i = 0; i < starts.Length; i++)
        {
            string key = string.Join(',', members[i]);
            if (!ids.TryGetValue(key, out classOf[i]))
            {
                ids.Add(key, classOf[i] = ids.Count);
            }

            foreach (int s in members[i])
            {
                classesOf[sets[s]].Add(classOf[i]);
            }
        }

        return (starts, classOf, ids.Count, classesOf.ToDictionary(pair => pair.Key, pair => pair.Value.Order().ToArray()));
    }
}
