using System.Text.Json;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>Checks that the keywords of a schema have values of the kinds JSON Schema gives them, also where they say nothing because of the type beside them.</summary>
internal static class KeywordKinds
{
    private const string Schema = "a schema (an object or a boolean)";

    /// <summary>Checks a subschema and its keywords; what is within the subschemas in it is left to them.</summary>
    public static void CheckSchema(JsonElement schema, string where)
    {
        if (!IsSchema(schema))
        {
            throw new PunaException($"schema: expected an object or a boolean, got {schema.ValueKind} ({where})");
        }

        if (schema.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in schema.EnumerateObject())
            {
                Check(schema, property.Name, property.Value, where);
            }
        }
    }

    private static void Check(JsonElement schema, string keyword, JsonElement value, string where)
    {
        switch (keyword)
        {
            case "$ref" or "$id" or "$anchor" or "pattern" or "format":
                Expect(value.ValueKind == JsonValueKind.String, keyword, "a string", value, where);
                break;
            case "type":
                Expect(value.ValueKind == JsonValueKind.String || IsNames(value), keyword, "a string or an array of strings", value, where);
                break;
            case "enum":
                Expect(value.ValueKind == JsonValueKind.Array, keyword, "an array", value, where);
                break;
            case "required":
                Expect(IsNames(value), keyword, "an array of names", value, where);
                break;
            case "dependentRequired":
                Expect(IsMap(value, IsNames), keyword, "an object of arrays of names", value, where);
                break;
            case "properties" or "patternProperties" or "dependentSchemas":
                Expect(IsMap(value, IsSchema), keyword, "an object of schemas", value, where);
                break;
            case "dependencies":
                Expect(IsMap(value, static v => IsSchema(v) || IsNames(v)), keyword, "an object of schemas and arrays of names", value, where);
                break;
            case "$defs" or "definitions":
                Expect(value.ValueKind == JsonValueKind.Object, keyword, "an object", value, where);
                break;
            case "additionalProperties" or "propertyNames" or "additionalItems" or "not" or "if" or "then" or "else":
                Expect(IsSchema(value), keyword, Schema, value, where);
                break;
            case "items":
                Expect(IsSchema(value) || IsSchemas(value), keyword, Schema + " or an array of schemas", value, where);
                break;
            case "prefixItems":
                Expect(IsSchemas(value), keyword, "an array of schemas", value, where);
                break;
            case "allOf" or "anyOf" or "oneOf":
                Expect(IsSchemas(value) && value.GetArrayLength() > 0, keyword, "an array of schemas that is not empty", value, where);
                break;
            case "minItems" or "maxItems" or "minLength" or "maxLength" or "minProperties" or "maxProperties":
                JsonCounts.Read(schema, keyword, where);
                break;
            case "uniqueItems":
                Expect(value.ValueKind is JsonValueKind.True or JsonValueKind.False, keyword, "a boolean", value, where);
                break;
            case "minimum" or "maximum" or "multipleOf":
                Expect(value.ValueKind == JsonValueKind.Number, keyword, "a number", value, where);
                break;
            case "exclusiveMinimum" or "exclusiveMaximum":
                // Draft 4's booleans say something of the bound beside them.
                bool hasBound = value.ValueKind == JsonValueKind.False || (value.ValueKind == JsonValueKind.True && schema.TryGetProperty(keyword == "exclusiveMinimum" ? "minimum" : "maximum", out _));
                Expect(value.ValueKind == JsonValueKind.Number || hasBound, keyword, "a number, or a boolean with a bound beside it", value, where);
                break;
        }
    }

    private static bool IsSchema(JsonElement value) => value.ValueKind is JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False;

    private static bool IsSchemas(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(IsSchema);

    private static bool IsNames(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(static v => v.ValueKind == JsonValueKind.String);

    private static bool IsMap(JsonElement value, Func<JsonElement, bool> isMember) => value.ValueKind == JsonValueKind.Object && value.EnumerateObject().All(member => isMember(member.Value));

    private static void Expect(bool holds, string keyword, string expected, JsonElement value, string where)
    {
        if (!holds)
        {
            string got = value.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? $"another kind of {value.ValueKind}" : value.ValueKind.ToString();
            throw new PunaException($"{keyword}: expected {expected}, got {got} ({where})");
        }
    }
}
