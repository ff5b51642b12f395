using System.Text.Json;
using Puna.Runtime.Constraints.Automata;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Resolves a schema into nodes: one for every set of subschemas that must hold together. There are finitely many, so recursion ends by itself.</summary>
internal sealed class SchemaCompiler
{
    private readonly CompileBudget _budget;
    private readonly SchemaDocument _document;
    private readonly SchemaReader _reader;
    private readonly ScalarLanguages _scalars;
    private readonly ContainerShapes _containers;
    private readonly Dictionary<string, SchemaNode> _nodes = new(StringComparer.Ordinal);
    private readonly HashSet<SchemaNode> _expanding = [];
    private int _proofDepth;

    private SchemaCompiler(string text, CompileBudget budget)
    {
        _budget = budget;
        _document = new(text, budget);
        _reader = new(_document, IsImpossible);
        _scalars = new(_document, budget);
        _containers = new(_document, budget, _scalars, Node, StringsOf);
    }

    /// <summary>The root's node; everything reachable from it is expanded.</summary>
    public static SchemaNode Compile(string text, CompileBudget budget)
    {
        var compiler = new SchemaCompiler(text, budget);
        SchemaNode root = compiler.Node([0]);
        List<SchemaNode> reachable = compiler.ExpandAll(root);
        Settle(reachable);
        if (!root.Possible)
        {
            throw new PunaException("schema: expected one that some value fulfils, got one that none does (#)");
        }

        return root;
    }

    private SchemaNode Node(int[] sources)
    {
        int[] sorted = [.. sources.Distinct().Order()];
        string key = string.Join(',', sorted);
        if (!_nodes.TryGetValue(key, out SchemaNode? node))
        {
            if (_nodes.Count >= _budget.Limits.MaxNodes)
            {
                throw new PunaException($"schema: expected at most {_budget.Limits.MaxNodes} combinations of subschemas, got more (JSON Schema)");
            }

            _nodes.Add(key, node = new(sorted));
        }

        return node;
    }

    private List<SchemaNode> ExpandAll(SchemaNode root)
    {
        var order = new List<SchemaNode> { root };
        var seen = new HashSet<SchemaNode> { root };
        for (int i = 0; i < order.Count; i++)
        {
            Expand(order[i]);
            foreach (SchemaNode child in order[i].Branches!.SelectMany(ContainerShapes.Children))
            {
                if (seen.Add(child))
                {
                    order.Add(child);
                }
            }
        }

        return order;
    }

    /// <summary>Least fixed point: a node is possible if some branch is with what is known to be possible.</summary>
    private static void Settle(List<SchemaNode> nodes)
    {
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int i = nodes.Count - 1; i >= 0; i--)
            {
                SchemaNode node = nodes[i];
                if (!node.Possible && node.Branches!.Exists(IsPossible))
                {
                    node.Possible = true;
                    changed = true;
                }
            }
        }

        foreach (SchemaNode node in nodes)
        {
            foreach (SchemaBranch branch in node.Branches!)
            {
                if (branch.Array is { IsPossible: false })
                {
                    branch.Array = null;
                }

                if (branch.Object is { } shape && !shape.Settle())
                {
                    branch.Object = null;
                }

                // Part of compiling, not of the first mask.
                if (branch.String is { IsEmpty: false } text)
                {
                    text.Coverage(0);
                }
            }
        }
    }

    private static bool IsPossible(SchemaBranch branch) =>
        branch.Null || branch.True || branch.False || branch.Number is not null || branch.String is not null || branch.Array is { IsPossible: true }
        || (branch.Object is { } shape && shape.IsPossible);

    private void Expand(SchemaNode node)
    {
        if (node.Branches is not null)
        {
            return;
        }

        if (!_expanding.Add(node))
        {
            // Only a proof of exclusion asks for a node that is being expanded; it has to do without.
            return;
        }

        var branches = new List<SchemaBranch>();
        int combinations = 0;
        Enumerate([.. node.Sources], [], [], branches, node, ref combinations, 0);
        node.Branches = branches;
        _expanding.Remove(node);
    }

    private void Enumerate(List<int> todo, HashSet<int> flat, List<int[]> choices, List<SchemaBranch> branches, SchemaNode node, ref int combinations, int depth)
    {
        _budget.Tick(Where(node));
        if (depth > 256)
        {
            throw new PunaException($"schema: expected at most 256 choices within one another, got more ({Where(node)})");
        }

        while (todo.Count > 0)
        {
            int id = todo[^1];
            todo.RemoveAt(todo.Count - 1);
            if (flat.Add(id))
            {
                _reader.Read(id);
                if (_document[id].Element.ValueKind == JsonValueKind.False)
                {
                    return;
                }

                todo.AddRange(_document[id].Conjuncts!);
                choices.AddRange(_document[id].Alternatives!);
            }
        }

        if (!_scalars.HasTypes(flat))
        {
            return;
        }

        if (choices.Count == 0)
        {
            if (++combinations > _budget.Limits.MaxBranches)
            {
                throw new PunaException($"schema: expected at most {_budget.Limits.MaxBranches} combinations of alternatives, got more ({Where(node)})");
            }

            SchemaBranch branch = _scalars.Branch(flat);
            _containers.Add(branch, flat);
            if (!branch.IsEmpty)
            {
                branches.Add(branch);
            }

            return;
        }

        int[] choice = choices[0];
        foreach (int alternative in choice)
        {
            Enumerate([alternative], [.. flat], choices[1..], branches, node, ref combinations, depth + 1);
        }
    }

    private string Where(SchemaNode node) => node.Sources.Length == 0 ? "#" : _document.Where(node.Sources[0]);

    /// <summary>The strings among the values of a set of subschemas.</summary>
    private CodePointDfa StringsOf(int[] sources, string where)
    {
        SchemaNode node = Node(sources);
        Expand(node);
        CodePointDfa? union = null;
        foreach (SchemaBranch branch in node.Branches ?? throw new PunaException($"propertyNames: expected a schema that does not contain itself, got one that does ({where})"))
        {
            if (branch.String is { } strings)
            {
                union = union is null ? strings : union.Union(strings, _budget, where);
            }
        }

        return union ?? CodePointDfa.OfTexts([]);
    }

    /// <summary>Whether it can be proved that no value fulfils all of the subschemas.</summary>
    private bool IsImpossible(int[] sources) => IsImpossible(Node(sources), 0);

    private bool IsImpossible(SchemaNode node, int depth)
    {
        if (depth > 6 || _proofDepth > 24)
        {
            return false;
        }

        _proofDepth++;
        Expand(node);
        _proofDepth--;
        return node.Branches is { } branches && branches.TrueForAll(branch =>
            !branch.Null && !branch.True && !branch.False && branch.Number is null && branch.String is null
            && (branch.Array is null || ContainerShapes.NeededItems(branch.Array) is not { } items || items.Any(item => IsImpossible(item, depth + 1)))
            && (branch.Object is null || ContainerShapes.NeededValues(branch.Object) is not { } values || values.Any(value => IsImpossible(value, depth + 1))));
    }
}
