namespace Puna.Runtime.Constraints.Machines;

/// <summary>A context-free grammar: rule r is any of the sequences Rules[r]. Rule 0 is the root.</summary>
internal sealed class GrammarRules
{
    public List<List<GrammarSymbol[]>> Rules { get; } = [];

    public List<string> Names { get; } = [];

    public int Add(string name)
    {
        Rules.Add([]);
        Names.Add(name);
        return Rules.Count - 1;
    }

    /// <summary>Drops sequences that produce no text, and refuses rules that can begin with themselves, which a reader from left to right does not end on.</summary>
    /// <returns>Whether the root produces any text.</returns>
    public bool Prune(string where)
    {
        bool[] productive = Fixpoint(symbol => symbol.Points is { IsEmpty: false });
        for (int r = 0; r < Rules.Count; r++)
        {
            Rules[r].RemoveAll(sequence => !Array.TrueForAll(sequence, s => s.Points is null ? productive[s.Rule] : !s.Points.IsEmpty));
        }

        bool[] empty = Fixpoint(_ => false);

        // Depth-first over "may begin with": a rule met again while it is open begins with itself.
        int[] color = new int[Rules.Count];
        for (int root = 0; root < Rules.Count; root++)
        {
            if (color[root] != 0)
            {
                continue;
            }

            var stack = new Stack<(int Rule, IEnumerator<int> Firsts)>();
            color[root] = 1;
            stack.Push((root, Firsts(root, empty).GetEnumerator()));
            while (stack.TryPeek(out (int Rule, IEnumerator<int> Firsts) top))
            {
                if (!top.Firsts.MoveNext())
                {
                    color[top.Rule] = 2;
                    stack.Pop();
                }
                else if (color[top.Firsts.Current] == 1)
                {
                    throw new Tensors.PunaException($"rule {Names[top.Firsts.Current]}: expected one that does not begin with itself, got left recursion ({where})");
                }
                else if (color[top.Firsts.Current] == 0)
                {
                    color[top.Firsts.Current] = 1;
                    stack.Push((top.Firsts.Current, Firsts(top.Firsts.Current, empty).GetEnumerator()));
                }
            }
        }

        return productive[0];
    }

    private IEnumerable<int> Firsts(int rule, bool[] empty)
    {
        foreach (GrammarSymbol[] sequence in Rules[rule])
        {
            foreach (GrammarSymbol symbol in sequence)
            {
                if (symbol.Points is not null)
                {
                    break;
                }

                yield return symbol.Rule;
                if (!empty[symbol.Rule])
                {
                    break;
                }
            }
        }
    }

    /// <summary>The rules with a sequence all of whose symbols have a property, which rules have through theirs.</summary>
    private bool[] Fixpoint(Func<GrammarSymbol, bool> terminal)
    {
        bool[] has = new bool[Rules.Count];
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int r = 0; r < Rules.Count; r++)
            {
                if (!has[r] && Rules[r].Exists(sequence => Array.TrueForAll(sequence, s => s.Points is null ? has[s.Rule] : terminal(s))))
                {
                    has[r] = true;
                    changed = true;
                }
            }
        }

        return has;
    }
}
