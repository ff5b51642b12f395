using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Resolves a schema into nodes and finds out which of them some value fulfils.</summary>
internal static class SchemaCompiler
{
    /// <summary>The root's node; everything reachable from it is expanded.</summary>
    public static SchemaNode Compile(string text, CompileBudget budget)
    {
        var document = new SchemaDocument(text, budget);
        var reader = new SchemaReader(document);
        var scalars = new ScalarLanguages(document, budget);
        var loose = new SchemaNodes(document, reader, scalars, budget, id => document[id].Alternatives!);
        var alternatives = new ExclusiveAlternatives(document, new ExclusionProof(loose, budget));
        var nodes = new SchemaNodes(document, reader, scalars, budget, alternatives.Of);
        SchemaNode root = nodes.Of([0]);
        List<SchemaNode> reachable = ExpandAll(nodes, root);
        Settle(reachable);
        if (!root.Possible)
        {
            throw new PunaException("schema: expected one that some value fulfils, got one that none does (#)");
        }

        return root;
    }

    private static List<SchemaNode> ExpandAll(SchemaNodes nodes, SchemaNode root)
    {
        var order = new List<SchemaNode> { root };
        var seen = new HashSet<SchemaNode> { root };
        for (int i = 0; i < order.Count; i++)
        {
            nodes.Expand(order[i]);
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
}
