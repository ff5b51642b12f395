namespace Puna.Runtime.Constraints.Schema;

/// <summary>What is done with each keyword. A word no specification gives a meaning to is an annotation, as JSON Schema says.</summary>
internal static class SchemaKeywords
{
    /// <summary>Keywords that are enforced.</summary>
    public static readonly HashSet<string> Enforced = new(StringComparer.Ordinal)
    {
        "type", "enum", "const", "properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties",
        "dependentRequired", "dependentSchemas", "dependencies", "items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "minLength",
        "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "allOf", "anyOf", "oneOf", "not", "if",
        "then", "else", "$ref", "$defs", "definitions", "$anchor", "nullable",
    };

    /// <summary>Keywords with a meaning for validity that is not enforced: a schema with one is refused.</summary>
    public static readonly HashSet<string> Refused = new(StringComparer.Ordinal)
    {
        "contains", "minContains", "maxContains", "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef", "extends", "disallow",
        "divisibleBy", "discriminator", "formatMinimum", "formatMaximum", "formatExclusiveMinimum", "formatExclusiveMaximum",
    };

    /// <summary>Keywords with values that are no schemas, whatever they look like.</summary>
    public static readonly HashSet<string> Data = new(StringComparer.Ordinal) { "enum", "const", "default", "examples" };

    /// <summary>Whether the members of the keyword's value are names, and not keywords.</summary>
    public static bool IsMap(string keyword) => keyword is "properties" or "patternProperties" or "$defs" or "definitions" or "dependentSchemas" or "dependencies";
}
