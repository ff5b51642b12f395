using System.Globalization;
using System.Text.Json.Nodes;
using Puna.Tests.Shared;

namespace Puna.Server.Tests;

/// <summary>
/// Checks an answer against one of the published schemas: types, members, items, enumerations, alternatives and references, which is all that they use of the language for answers.
/// </summary>
internal static class SchemaCheck
{
    public static void Assert(string name, JsonNode? value)
    {
        JsonObject schema = JsonNode.Parse(File.ReadAllText(TestFiles.Asset("api-schemas", name + ".schema.json")))!.AsObject();
        string? problem = Problem(schema, schema, value, "$");
        Xunit.Assert.True(problem is null, $"{name}: {problem}\n{value?.ToJsonString()}");
    }

    private static string? Problem(JsonObject root, JsonNode? schemaNode, JsonNode? value, string at)
    {
        if (schemaNode is not JsonObject schema)
        {
            return schemaNode is JsonValue flag && !flag.GetValue<bool>() ? $"{at}: nothing is allowed here" : null;
        }

        if (schema["$ref"]?.GetValue<string>() is { } reference)
        {
            JsonNode? target = root;
            foreach (string part in reference.TrimStart('#', '/').Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                target = target![part];
            }

            return Problem(root, target, value, at);
        }

        foreach (JsonNode? all in schema["allOf"]?.AsArray() ?? [])
        {
            if (Problem(root, all, value, at) is { } problem)
            {
                return problem;
            }
        }

        if ((schema["anyOf"] ?? schema["oneOf"])?.AsArray() is { } any)
        {
            string?[] problems = [.. any.Select(s => Problem(root, s, value, at))];
            if (problems.All(static p => p is not null))
            {
                return problems.OrderByDescending(static p => p!.Count(static c => c is '.' or '[')).First();
            }
        }

        if (schema["const"] is { } constant && !JsonNode.DeepEquals(constant, value))
        {
            return $"{at}: expected {constant.ToJsonString()}, got {Show(value)}";
        }

        if (schema["enum"]?.AsArray() is { } values && !values.Any(v => JsonNode.DeepEquals(v, value)))
        {
            return $"{at}: expected one of {values.ToJsonString()}, got {Show(value)}";
        }

        if (schema["type"] is { } type)
        {
            string[] types = type is JsonArray list ? [.. list.Select(static t => t!.GetValue<string>())] : [type.GetValue<string>()];
            if (!types.Any(t => Is(t, value)))
            {
                return $"{at}: expected {string.Join(" or ", types)}, got {Show(value)}";
            }
        }

        return value switch
        {
            JsonObject members => Members(root, schema, members, at),
            JsonArray items when schema["items"] is { } item => items.Select((v, i) => Problem(root, item, v, $"{at}[{i}]")).FirstOrDefault(static p => p is not null),
            _ => null,
        };
    }

    private static string? Members(JsonObject root, JsonObject schema, JsonObject members, string at)
    {
        foreach (JsonNode? required in schema["required"]?.AsArray() ?? [])
        {
            if (!members.ContainsKey(required!.GetValue<string>()))
            {
                return $"{at}.{required}: expected, got none";
            }
        }

        JsonObject known = schema["properties"]?.AsObject() ?? [];
        foreach ((string name, JsonNode? member) in members)
        {
            JsonNode? rule = known[name] ?? schema["additionalProperties"];
            if (rule is not null && Problem(root, rule, member, $"{at}.{name}") is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static bool Is(string type, JsonNode? value) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => value is JsonValue s && s.GetValueKind() == System.Text.Json.JsonValueKind.String,
        "boolean" => value is JsonValue b && b.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False,
        "number" => value is JsonValue n && n.GetValueKind() == System.Text.Json.JsonValueKind.Number,
        "integer" => value is JsonValue i && i.GetValueKind() == System.Text.Json.JsonValueKind.Number && double.Parse(i.ToJsonString(), CultureInfo.InvariantCulture) % 1 == 0,
        _ => throw new NotSupportedException(type),
    };

    private static string Show(JsonNode? value) => value?.ToJsonString() ?? "null";
}
