using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Checks the keywords of a subschema and splits it into what must hold besides and what must hold in one of several ways.</summary>
internal sealed class SchemaReader(SchemaDocument document)
{
    /// <summary>Fills in what a subschema asks for besides its own keywords. The alternatives of <c>oneOf</c> are taken as those of <c>anyOf</c>: <see cref="ExclusiveAlternatives"/> has them exclude one another.</summary>
    public void Read(int index)
    {
        SchemaSource source = document[index];
        if (source.Conjuncts is not null)
        {
            return;
        }

        JsonElement schema = source.Element;
        string where = document.Where(index);
        KeywordKinds.CheckSchema(schema, where);
        var conjuncts = new List<int>();
        var alternatives = new List<int[]>();
        if (schema.ValueKind == JsonValueKind.Object)
        {
            ReadKeywords(index, schema, where, conjuncts, alternatives);
        }

        source.Conjuncts = conjuncts;
        source.Alternatives = alternatives;
    }

    private void ReadKeywords(int index, JsonElement schema, string where, List<int> conjuncts, List<int[]> alternatives)
    {
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
                    conjuncts.Add(document.Resolve(index, value.GetString()!));
                    break;
                case "allOf":
                    conjuncts.AddRange(Members(index, value, property.Name));
                    break;
                case "anyOf":
                    alternatives.Add(Members(index, value, property.Name));
                    break;
                case "oneOf":
                    document[index].OneOf = alternatives.Count;
                    alternatives.Add(Members(index, value, property.Name));
                    break;
                case "not":
                    conjuncts.Add(Negation(index, value, "not"));
                    break;
                case "if":
                    Conditional(index, schema, value, alternatives);
                    break;
                case "dependentSchemas" or "dependencies":
                    foreach (JsonProperty dependency in value.EnumerateObject())
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
                    Containers(index, property.Name, value, alternatives);
                    break;
            }
        }
    }

    private int[] Members(int index, JsonElement value, string keyword)
    {
        int[] members = new int[value.GetArrayLength()];
        for (int i = 0; i < members.Length; i++)
        {
            members[i] = document.Child(index, value[i], keyword, i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        return members;
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
    private void Containers(int index, string keyword, JsonElement value, List<int[]> alternatives)
    {
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
