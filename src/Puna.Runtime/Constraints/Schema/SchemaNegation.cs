using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Writes the negation of a schema as a schema, where that can be done without loss.</summary>
internal static class SchemaNegation
{
    private static readonly string[] Types = ["null", "boolean", "number", "string", "array", "object"];

    /// <summary>Internal keyword: the string must not match a pattern, or have a format.</summary>
    public const string NotPattern = "\u0001notPattern";

    /// <summary>Internal keyword: the value is none of these, which are no containers.</summary>
    public const string NotEnum = "\u0001notEnum";

    public static JsonNode? Negate(JsonElement schema, string where)
    {
        KeywordKinds.CheckSchema(schema, where);
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return JsonValue.Create(schema.ValueKind == JsonValueKind.False);
        }

        // Not all of the keywords hold: one of them does not.
        var ways = new JsonArray();
        foreach (JsonProperty property in schema.EnumerateObject())
        {
            JsonElement value = property.Value;
            switch (property.Name)
            {
                case "type":
                    string[] named = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(t => Text(t, "type", where))] : [Text(value, "type", where)];
                    if (named.Contains("integer"))
                    {
                        throw Refuse("type: integer", where);
                    }

                    if (named.Except(Types).FirstOrDefault() is string unknown)
                    {
                        throw new PunaException($"type: expected one of {string.Join(", ", Types)} and integer, got {unknown} ({where})");
                    }

                    bool isNullable = schema.TryGetProperty("nullable", out JsonElement nullable) && nullable.ValueKind == JsonValueKind.True;
                    string[] others = [.. Types.Except(isNullable ? [.. named, "null"] : named)];
                    ways.Add((JsonNode)(others.Length == 0 ? JsonValue.Create(false) : new JsonObject { ["type"] = new JsonArray([.. others.Select(t => (JsonNode)JsonValue.Create(t)!)]) }));
                    break;
                case "nullable" when value.ValueKind == JsonValueKind.False || (value.ValueKind == JsonValueKind.True && schema.TryGetProperty("type", out _)):
                    break;
                case "const":
                    Scalars([value], where);
                    ways.Add((JsonNode)new JsonObject { [NotEnum] = new JsonArray(Node(value)) });
                    break;
                case "enum":
                    Scalars(value.EnumerateArray(), where);
                    ways.Add((JsonNode)new JsonObject { [NotEnum] = Node(value) });
                    break;
                case "pattern":
                    ways.Add((JsonNode)new JsonObject { ["type"] = "string", [NotPattern] = Text(value, "pattern", where) });
                    break;
                case "required":
                    foreach (JsonElement name in value.EnumerateArray())
                    {
                        ways.Add((JsonNode)new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { [Text(name, "required", where)] = false } });
                    }

                    break;
                case "properties":
                    foreach (JsonProperty member in value.EnumerateObject())
                    {
                        ways.Add((JsonNode)new JsonObject
                        {
                            ["type"] = "object",
                            ["required"] = new JsonArray(JsonValue.Create(member.Name)),
                            ["properties"] = new JsonObject { [member.Name] = Negate(member.Value, where) },
                        });
                    }

                    break;
                case "minLength" or "minItems" or "minProperties":
                    int min = value.GetInt32();
                    ways.Add((JsonNode)(min <= 0 ? JsonValue.Create(false) : new JsonObject { ["type"] = OfKeyword(property.Name), ["max" + property.Name[3..]] = min - 1 }));
                    break;
                case "maxLength" or "maxItems" or "maxProperties":
                    ways.Add((JsonNode)new JsonObject { ["type"] = OfKeyword(property.Name), ["min" + property.Name[3..]] = value.GetInt32() + 1L });
                    break;
                case "minimum" when !schema.TryGetProperty("exclusiveMinimum", out _):
                    ways.Add((JsonNode)new JsonObject { ["type"] = "number", ["exclusiveMaximum"] = Node(value) });
                    break;
                case "maximum" when !schema.TryGetProperty("exclusiveMaximum", out _):
                    ways.Add((JsonNode)new JsonObject { ["type"] = "number", ["exclusiveMinimum"] = Node(value) });
                    break;
                case "exclusiveMinimum" when value.ValueKind == JsonValueKind.Number:
                    ways.Add((JsonNode)new JsonObject { ["type"] = "number", ["maximum"] = Node(value) });
                    break;
                case "exclusiveMaximum" when value.ValueKind == JsonValueKind.Number:
                    ways.Add((JsonNode)new JsonObject { ["type"] = "number", ["minimum"] = Node(value) });
                    break;
                case "anyOf":
                    var none = new JsonArray();
                    foreach (JsonElement part in value.EnumerateArray())
                    {
                        none.Add(Negate(part, where));
                    }

                    ways.Add((JsonNode)new JsonObject { ["allOf"] = none });
                    break;
                case "allOf":
                    foreach (JsonElement part in value.EnumerateArray())
                    {
                        ways.Add(Negate(part, where));
                    }

                    break;
                case "not":
                    ways.Add(Node(value));
                    break;
                default:
                    if (SchemaKeywords.Enforced.Contains(property.Name) && property.Name is not ("$defs" or "definitions" or "$anchor"))
                    {
                        throw Refuse(property.Name, where);
                    }

                    break;
            }
        }

        return ways.Count == 0 ? JsonValue.Create(false) : ways.Count == 1 ? ways[0]!.DeepClone() : new JsonObject { ["anyOf"] = ways };
    }

    public static JsonNode? Node(JsonElement element) => JsonNode.Parse(element.GetRawText(), documentOptions: new JsonDocumentOptions { MaxDepth = 1024 });

    private static string Text(JsonElement value, string keyword, string where) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new PunaException($"{keyword}: expected a string, got {value.ValueKind} ({where})");

    private static string OfKeyword(string keyword) => keyword[3..] switch { "Length" => "string", "Items" => "array", _ => "object" };

    private static void Scalars(IEnumerable<JsonElement> values, string where)
    {
        if (values.Any(v => v.ValueKind is JsonValueKind.Object or JsonValueKind.Array))
        {
            throw Refuse("an array or object as a constant", where);
        }
    }

    private static PunaException Refuse(string what, string where) => new($"not: expected a schema whose negation is one, got {what} ({where})");
}
