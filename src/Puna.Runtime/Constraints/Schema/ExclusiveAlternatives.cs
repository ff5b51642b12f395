using System.Text.Json.Nodes;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>The alternatives of a subschema, those of <c>oneOf</c> made to exclude one another.</summary>
internal sealed class ExclusiveAlternatives(SchemaDocument document, ExclusionProof proof)
{
    /// <summary>The alternatives of a subschema that has been read.</summary>
    public List<int[]> Of(int index)
    {
        SchemaSource source = document[index];
        if (source.Exclusive is null)
        {
            List<int[]> alternatives = [.. source.Alternatives!];
            if (source.OneOf >= 0)
            {
                alternatives[source.OneOf] = Exclusive(index, alternatives[source.OneOf], document.Where(index));
            }

            source.Exclusive = alternatives;
        }

        return source.Exclusive;
    }

    /// <summary>Alternatives no two of which can hold together: as they are where that can be proved, else each without the others it may overlap.</summary>
    private int[] Exclusive(int index, int[] members, string where)
    {
        int besides = document.Synthetic(index, "besides oneOf", () =>
        {
            var rest = (JsonObject)SchemaNegation.Node(document[index].Element)!;
            foreach (string keyword in (string[])["oneOf", "anyOf", "allOf", "not", "if", "dependentSchemas", "dependencies"])
            {
                rest.Remove(keyword);
            }

            return rest;
        });
        var overlaps = new List<int>[members.Length];
        for (int i = 0; i < members.Length; i++)
        {
            overlaps[i] = [];
        }

        for (int i = 0; i < members.Length; i++)
        {
            for (int j = i + 1; j < members.Length; j++)
            {
                if (!proof.Excludes([besides, members[i], members[j]]))
                {
                    overlaps[i].Add(j);
                    overlaps[j].Add(i);
                }
            }
        }

        int[] exclusive = (int[])members.Clone();
        for (int i = 0; i < members.Length; i++)
        {
            if (overlaps[i].Count == 0)
            {
                continue;
            }

            var all = new JsonArray(SchemaNegation.Node(document[members[i]].Element));
            foreach (int j in overlaps[i])
            {
                try
                {
                    all.Add(SchemaNegation.Negate(document[members[j]].Element, where));
                }
                catch (Exception error) when (error is PunaException or InvalidOperationException or FormatException)
                {
                    throw new PunaException($"oneOf: expected alternatives that exclude one another, got {i} and {j}, which may both hold ({where})", error);
                }
            }

            exclusive[i] = document.Synthetic(members[i], "and no other", () => new JsonObject { ["allOf"] = all });
        }

        return exclusive;
    }
}
