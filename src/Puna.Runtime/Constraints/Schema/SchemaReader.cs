using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Checks the keywords of a subschema and splits it into what must hold besides and what must hold in one of several ways.</summary>
internal sealed class SchemaReader(SchemaDocument document, Func<int[], bool> isImpossible)
{
    public void Read(int index)
    {
        SchemaSource source = document[index];
        if (source.Conjuncts is not null)
        {
            return;
        }

        var conjuncts = new List<int>();
        var alternatives = new List<int[]>();
        source.Conjuncts = conjuncts;
        source.Alternatives = alternatives;
        JsonElement schema = source.Element;
        string where = document.Where(index);
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return;
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            throw new PunaException($"schema: expected an object or a boolean, got {schema.ValueKind} ({where})");
        }

        foreach (JsonProperty property in schema.EnumerateObject())
        {
            JsonElement value = property.Value;
            if (SchemaKeywords.Refused.Contains(property.Name))
            {
                throw new PunaException($"keyword: expected a supported one, got {property.Name} ({where})");
            }

            switch (property.Name)
            {
                case "nullable" when value.ValueKind != JsonValueKind.False && (value.ValueKind != JsonValueKind.True || !schema.TryGetProperty("type", out _)):
                    throw new PunaException($"nullable: expected true or false with a type beside it, got {(value.ValueKind == JsonValueKind.True ? "no type" : value.ValueKind)} ({where})");
                case "$ref":
                    conjuncts.Add(document.Resolve(index, Text(value, property.Name, where)));
                    break;
                case "allOf":
                    conjuncts.AddRange(Members(index, value, property.Name, where));
                    break;
                case "anyOf":
                    alternatives.Add(Members(index, value, property.Name, where));
                    break;
                case "oneOf":
                    alternatives.Add(Exclusive(index, Members(index, value, property.Name, where), where));
                    break;
                case "not":
                    conjuncts.Add(Negation(index, value, "not"));
                    break;
                case "if":
                    Conditional(index, schema, value, alternatives);
                    break;
                case "dependentSchemas" or "dependencies":
                    foreach (JsonProperty dependency in Object(value, property.Name, where).EnumerateObject())
                    {
                        if (dependency.Value.ValueKind != JsonValueKind.Array)
                        {
                            string name = dependency.Name;
                            int absent = document.Synthetic(index, $"no {name}", () => new JsonObject { ["properties"] = new JsonObject { [name] = false } });
                            int present = document.Child(index, dependency.Value, property.Name, name);
                            alternatives.Add([absent, present]);
                        }
                    }

                    break;
                case "enum" or "const":
                    Containers(index, property.Name, value, where, alternatives);
                    break;
            }
        }
    }

    private static string Text(JsonElement value, string keyword, string where) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new PunaException($"{keyword}: expected a string, got {value.ValueKind} ({where})");

    private static JsonElement Object(JsonElement value, string keyword, string where) =>
        value.ValueKind == JsonValueKind.Object ? value : throw new PunaException($"{keyword}: expected an object, got {value.ValueKind} ({where})");

    private int[] Members(int index, JsonElement value, string keyword, string where)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
        {
            throw new PunaException($"{keyword}: expected an array of schemas, got {(value.ValueKind == JsonValueKind.Array ? "an empty one" : value.ValueKind)} ({where})");
        }

        int[] members = new int[value.GetArrayLength()];
        for (int i = 0; i < members.Length; i++)
        {
            members[i] = document.Child(index, value[i], keyword, i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        return members;
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
                if (!isImpossible([besides, members[i], members[j]]))
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

    private int Negation(int index, JsonElement value, string keyword) => document.Synthetic(index, "not " + keyword, () =>
    {
        try
        {
            return SchemaNegation.Negate(value, document.Where(index) + "/" + keyword);
        }
        catch (Exception error) when (error is InvalidOperationException or FormatException)
        {
            throw new PunaException($"{keyword}: expected a schema, got {error.Message} ({document.Where(index)})", error);
        }
    });

    private void Conditional(int index, JsonElement schema, JsonElement condition, List<int[]> alternatives)
    {
        bool hasThen = schema.TryGetProperty("then", out JsonElement then);
        bool hasElse = schema.TryGetProperty("else", out JsonElement otherwise);
        if (!hasThen && !hasElse)
        {
            return;
        }

        int negation = Negation(index, condition, "if");
        JsonElement negated = document[negation].Element;
        alternatives.Add([
            document.Synthetic(index, "then", () => new JsonObject { ["allOf"] = new JsonArray(SchemaNegation.Node(condition), hasThen ? SchemaNegation.Node(then) : JsonValue.Create(true)) }),
            document.Synthetic(index, "else", () => new JsonObject { ["allOf"] = new JsonArray(SchemaNegation.Node(negated), hasElse ? SchemaNegation.Node(otherwise) : JsonValue.Create(true)) }),
        ]);
    }

    /// <summary>Arrays and objects among constants become schemas that only they fulfil.</summary>
    private void Containers(int index, string keyword, JsonElement value, string where, List<int[]> alternatives)
    {
        if (keyword == "enum" && value.ValueKind != JsonValueKind.Array)
        {
            throw new PunaException($"enum: expected an array, got {value.ValueKind} ({where})");
        }

        JsonElement[] values = keyword == "enum" ? [.. value.EnumerateArray()] : [value];
        if (!Array.Exists(values, v => v.ValueKind is JsonValueKind.Object or JsonValueKind.Array))
        {
            return;
        }

        var ways = new List<int>
        {
            document.Synthetic(index, keyword, () => new JsonObject
            {
                ["enum"] = new JsonArray([.. values.Where(v => v.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)).Select(SchemaNegation.Node)]),
            }),
        };
        for (int i = 0; i < values.Length; i++)
        {
            JsonElement item = values[i];
            if (item.ValueKind == JsonValueKind.Array)
            {
                ways.Add(document.Synthetic(index, $"{keyword} {i}", () => new JsonObject
                {
                    ["type"] = "array",
                    ["prefixItems"] = new JsonArray([.. item.EnumerateArray().Select(v => (JsonNode)new JsonObject { ["const"] = SchemaNegation.Node(v) })]),
                    ["minItems"] = item.GetArrayLength(),
                    ["maxItems"] = item.GetArrayLength(),
                }));
            }
            else if (item.ValueKind == JsonValueKind.Object)
            {
                ways.Add(document.Synthetic(index, $"{keyword} {i}", () =>
                {
                    var properties = new JsonObject();
                    var required = new JsonArray();
                    foreach (JsonProperty member in item.EnumerateObject())
                    {
                        properties[member.Name] = new JsonObject { ["const"] = SchemaNegation.Node(member.Value) };
                        required.Add((JsonNode)JsonValue.Create(member.Name));
                    }

                    return new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required, ["additionalProperties"] = false };
                }));
            }
        }

        alternatives.Add([.. ways]);
    }
}
