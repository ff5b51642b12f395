namespace Puna.Runtime.Constraints.Automata;

/// <summary>A deterministic automaton over code points without dead states: every state can still reach an accepting one. State 0 is the start.</summary>
/// <remarks>
/// Code points are grouped into classes: interval i is [_starts[i], _starts[i + 1]) and has class _classOf[i]. Next is [states x classes], -1 where no text
/// may follow. An automaton of no states accepts nothing.
/// </remarks>
internal sealed class CodePointDfa
{
    public const int Last = 0x10FFFF;

    private readonly int[] _ascii = new int[128];

    private int[]? _coverage;

    public CodePointDfa(int[] starts, int[] classOf, int classes, int[] next, bool[] accepting)
    {
        Starts = starts;
        ClassOf = classOf;
        Classes = classes;
        (Next, Accepting) = Trim(classes, next, accepting);
        for (int c = 0; c < 128; c++)
        {
            _ascii[c] = FindClass(c);
        }
    }

    public int[] Starts { get; }

    public int[] ClassOf { get; }

    public int Classes { get; }

    public int[] Next { get; }

    public bool[] Accepting { get; }

    public int Count => Accepting.Length;

    public bool IsEmpty => Count == 0;

    /// <summary>Every text.</summary>
    public static CodePointDfa Anything { get; } = new([0], [0], 1, [0], [true]);

    /// <summary>Whether all code points lead to the same state everywhere: only the length matters.</summary>
    public bool CountsOnly => Classes == 1;

    public int ClassIndex(int codePoint) => codePoint < 128 ? _ascii[codePoint] : FindClass(codePoint);

    public int Step(int state, int codePoint) => Next[state * Classes + ClassIndex(codePoint)];

    /// <summary>Whether some code point in [low, high] may follow.</summary>
    public bool AnyFrom(int state, int low, int high)
    {
        for (int i = FindInterval(low); i < Starts.Length && Starts[i] <= high; i++)
        {
            if (Next[state * Classes + ClassOf[i]] >= 0)
            {
                return true;
            }
        }

        return false;
    }

    public bool Matches(string text)
    {
        int state = IsEmpty ? -1 : 0;
        for (int i = 0; i < text.Length && state >= 0; i++)
        {
            int c = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? char.ConvertToUtf32(text[i], text[++i]) : text[i];
            state = Step(state, c);
        }

        return state >= 0 && Accepting[state];
    }

    /// <summary>How many arbitrary printable code points (no quote, backslash or control character) may follow whatever they are; int.MaxValue for any number.</summary>
    public int Coverage(int state) => Volatile.Read(ref _coverage) is { } known ? known[state] : (_coverage = ComputeCoverage())[state];

    /// <summary>Exactly the given texts.</summary>
    public static CodePointDfa OfTexts(IEnumerable<string> texts)
    {
        var edges = new List<Dictionary<int, int>> { new() };
        var accepting = new List<bool> { false };
        var used = new SortedSet<int>();
        foreach (string text in texts)
        {
            int at = 0;
            foreach (System.Text.Rune rune in text.EnumerateRunes())
            {
                used.Add(rune.Value);
                if (!edges[at].TryGetValue(rune.Value, out int to))
                {
                    to = edges.Count;
                    edges[at].Add(rune.Value, to);
                    edges.Add(new());
                    accepting.Add(false);
                }

                at = to;
            }

            accepting[at] = true;
        }

        (int[] starts, int[] classOf, int classes) = Singletons(used);
        int[] next = new int[edges.Count * classes];
        Array.Fill(next, -1);
        for (int s = 0; s < edges.Count; s++)
        {
            foreach ((int c, int to) in edges[s])
            {
                next[s * classes + classOf[Array.BinarySearch(starts, c)]] = to;
            }
        }

        return new(starts, classOf, classes, next, [.. accepting]);
    }

    /// <summary>Every text of min to max code points (max null: no upper bound).</summary>
    public static CodePointDfa OfLength(int min, int? max)
    {
        int states = max is { } m ? m + 1 : min + 1;
        int[] next = new int[states];
        bool[] accepting = new bool[states];
        for (int i = 0; i < states; i++)
        {
            next[i] = i + 1 < states ? i + 1 : max is null ? i : -1;
            accepting[i] = i >= min;
        }

        return new([0], [0], 1, next, accepting);
    }

    public CodePointDfa Intersect(CodePointDfa other, CompileBudget budget, string where) => Combine(other, static (a, b) => a && b, false, budget, where);

    public CodePointDfa Union(CodePointDfa other, CompileBudget budget, string where) => Combine(other, static (a, b) => a || b, true, budget, where);

    /// <summary>The texts accepted here and not there.</summary>
    public CodePointDfa Except(CodePointDfa other, CompileBudget budget, string where) => Combine(other, static (a, b) => a && !b, true, budget, where);

    /// <summary>Classes for single code points: class 0 is everything else.</summary>
    public static (int[] Starts, int[] ClassOf, int Classes) Singletons(SortedSet<int> used)
    {
        var starts = new List<int> { 0 };
        var classOf = new List<int> { 0 };
        int classes = 1;
        foreach (int c in used)
        {
            if (starts[^1] == c)
            {
                classOf[^1] = classes++;
            }
            else
            {
                starts.Add(c);
                classOf.Add(classes++);
            }

            starts.Add(c + 1);
            classOf.Add(0);
        }

        return ([.. starts], [.. classOf], classes);
    }

    private CodePointDfa Combine(CodePointDfa other, Func<bool, bool, bool> accept, bool keepHalves, CompileBudget budget, string where)
    {
        if (!keepHalves && (IsEmpty || other.IsEmpty))
        {
            return new([0], [0], 1, [], []);
        }

        if (ReferenceEquals(this, Anything) && !keepHalves)
        {
            return other;
        }

        if (ReferenceEquals(other, Anything) && !keepHalves)
        {
            return this;
        }

        int[] starts = [.. Starts.Concat(other.Starts).Distinct().Order()];
        int[] classOf = new int[starts.Length];
        var pairs = new Dictionary<(int, int), int>();
        for (int i = 0; i < starts.Length; i++)
        {
            (int, int) pair = (ClassIndex(Math.Min(starts[i], Last)), other.ClassIndex(Math.Min(starts[i], Last)));
            if (!pairs.TryGetValue(pair, out classOf[i]))
            {
                pairs.Add(pair, classOf[i] = pairs.Count);
            }
        }

        (int A, int B)[] classPairs = [.. pairs.Keys];
        var ids = new Dictionary<(int, int), int>();
        var states = new List<(int A, int B)>();
        var next = new List<int>();
        int Id(int a, int b)
        {
            if ((a < 0 && b < 0) || (!keepHalves && (a < 0 || b < 0)))
            {
                return -1;
            }

            if (!ids.TryGetValue((a, b), out int id))
            {
                ids.Add((a, b), id = states.Count);
                states.Add((a, b));
                if (!CountsOnly || !other.CountsOnly)
                {
                    budget.States(states.Count, where);
                }
            }

            return id;
        }

        Id(IsEmpty ? -1 : 0, other.IsEmpty ? -1 : 0);
        for (int s = 0; s < states.Count; s++)
        {
            (int a, int b) = states[s];
            budget.Tick(where);
            foreach ((int ca, int cb) in classPairs)
            {
                next.Add(Id(a < 0 ? -1 : Next[a * Classes + ca], b < 0 ? -1 : other.Next[b * other.Classes + cb]));
            }
        }

        return new(starts, classOf, pairs.Count, [.. next], [.. states.Select(s => accept(s.A >= 0 && Accepting[s.A], s.B >= 0 && other.Accepting[s.B]))]);
    }

    /// <summary>Drops what cannot be reached or cannot reach an accepting state, keeping the order of the rest.</summary>
    private static (int[] Next, bool[] Accepting) Trim(int classes, int[] next, bool[] accepting)
    {
        int count = accepting.Length;
        var sources = new List<int>[count];
        for (int s = 0; s < count; s++)
        {
            for (int c = 0; c < classes; c++)
            {
                int to = next[s * classes + c];
                if (to >= 0)
                {
                    (sources[to] ??= []).Add(s);
                }
            }
        }

        bool[] live = new bool[count];
        var stack = new Stack<int>();
        for (int s = 0; s < count; s++)
        {
            if (accepting[s])
            {
                live[s] = true;
                stack.Push(s);
            }
        }

        while (stack.TryPop(out int s))
        {
            foreach (int from in sources[s] ?? [])
            {
                if (!live[from])
                {
                    live[from] = true;
                    stack.Push(from);
                }
            }
        }

        if (count == 0 || !live[0])
        {
            return ([], []);
        }

        if (Array.TrueForAll(live, l => l))
        {
            for (int i = 0; i < next.Length; i++)
            {
                next[i] = Math.Max(next[i], -1);
            }

            return (next, accepting);
        }

        int[] renamed = new int[count];
        int kept = 0;
        for (int s = 0; s < count; s++)
        {
            renamed[s] = live[s] ? kept++ : -1;
        }

        int[] trimmed = new int[kept * classes];
        bool[] accept = new bool[kept];
        for (int s = 0; s < count; s++)
        {
            if (live[s])
            {
                accept[renamed[s]] = accepting[s];
                for (int c = 0; c < classes; c++)
                {
                    int to = next[s * classes + c];
                    trimmed[renamed[s] * classes + c] = to < 0 ? -1 : renamed[to];
                }
            }
        }

        return (trimmed, accept);
    }

    private int[] ComputeCoverage()
    {
        // A class matters if it holds a printable code point; surrogates never occur.
        bool[] body = new bool[Classes];
        for (int i = 0; i < Starts.Length; i++)
        {
            int end = i + 1 < Starts.Length ? Starts[i + 1] : Last + 1;
            for (int c = Math.Max(Starts[i], 0x20); c < end && !body[ClassOf[i]]; c = c == 0xD800 ? 0xE000 : c + 1)
            {
                body[ClassOf[i]] = c is not ('"' or '\\' or (>= 0xD800 and < 0xE000));
            }
        }

        // The number of steps to the nearest dead end, walking backwards: no dead end, no bound.
        var sources = new List<int>[Count];
        int[] coverage = new int[Count];
        Array.Fill(coverage, int.MaxValue);
        var queue = new Queue<int>();
        for (int s = 0; s < Count; s++)
        {
            for (int c = 0; c < Classes; c++)
            {
                if (!body[c])
                {
                    continue;
                }

                int to = Next[s * Classes + c];
                if (to >= 0)
                {
                    (sources[to] ??= []).Add(s);
                }
                else if (coverage[s] != 0)
                {
                    coverage[s] = 0;
                    queue.Enqueue(s);
                }
            }
        }

        while (queue.TryDequeue(out int s))
        {
            foreach (int from in sources[s] ?? [])
            {
                if (coverage[from] == int.MaxValue)
                {
                    coverage[from] = coverage[s] + 1;
                    queue.Enqueue(from);
                }
            }
        }

        return coverage;
    }

    private int FindClass(int codePoint) => ClassOf[FindInterval(codePoint)];

    private int FindInterval(int codePoint)
    {
        int i = Array.BinarySearch(Starts, codePoint);
        return i >= 0 ? i : ~i - 1;
    }
}
