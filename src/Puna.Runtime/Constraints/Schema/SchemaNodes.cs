using System.Text.Json;
using Puna.Runtime.Constraints.Automata;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Nodes of a schema: one for every set of subschemas that must hold together. There are finitely many, so recursion ends by itself.</summary>
internal sealed class SchemaNodes
{
    private readonly SchemaDocument _document;
    private readonly SchemaReader _reader;
    private readonly ScalarLanguages _scalars;
    private readonly CompileBudget _budget;
    private readonly Func<int, List<int[]>> _alternativesOf;
    private readonly ContainerShapes _containers;
    private readonly Dictionary<string, SchemaNode> _nodes = new(StringComparer.Ordinal);
    private readonly HashSet<SchemaNode> _expanding = [];

    /// <param name="document">The schema.</param>
    /// <param name="reader">Reads its subschemas.</param>
    /// <param name="scalars">Languages of numbers and strings.</param>
    /// <param name="budget">What compiling may cost.</param>
    /// <param name="alternativesOf">The alternatives of a subschema that has been read.</param>
    public SchemaNodes(SchemaDocument document, SchemaReader reader, ScalarLanguages scalars, CompileBudget budget, Func<int, List<int[]>> alternativesOf)
    {
        (_document, _reader, _scalars, _budget, _alternativesOf) = (document, reader, scalars, budget, alternativesOf);
        _containers = new(document, budget, scalars, Of, StringsOf);
    }

    /// <summary>The node of a set of subschemas; it may not be expanded yet.</summary>
    public SchemaNode Of(int[] sources)
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

    /// <summary>Fills in the branches of a node.</summary>
    public void Expand(SchemaNode node)
    {
        // Only names of properties ask for a node that is being expanded, which they are told.
        if (node.Branches is not null || !_expanding.Add(node))
        {
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
                choices.AddRange(_alternativesOf(id));
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
        SchemaNode node = Of(sources);
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
}
