using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Puna.Server.Http;

namespace Puna.Server.Api;

/// <summary>
/// The description of all endpoints (OpenAPI 3.1): paths and methods as they are mapped, and what each asks for from a file inside this assembly. Endpoints read JSON by hand, so there are no types
/// that a description could be made of; tests send every example and look for endpoints without a description.
/// </summary>
internal static class OpenApiDocument
{
    private static readonly JsonObject Operations = Load();

    /// <summary>Names of the endpoints that are described.</summary>
    public static IEnumerable<string> Names => Operations.Select(static o => o.Key);

    /// <summary>The example of a request, or null where an endpoint takes none.</summary>
    public static JsonObject? Example(string name) => Operations[name]?["example"]?.AsObject();

    /// <summary>Writes the description.</summary>
    /// <param name="endpoints">The endpoints of the application.</param>
    /// <param name="hasKeys">Whether requests must bring a key.</param>
    public static JsonObject Write(IEnumerable<RouteEndpoint> endpoints, bool hasKeys)
    {
        var paths = new JsonObject();
        foreach (RouteEndpoint endpoint in endpoints.OrderBy(static e => e.RoutePattern.RawText, StringComparer.Ordinal))
        {
            string? name = endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName;
            if (endpoint.Metadata.GetMetadata<EndpointRules>() is not { } rules || name is null || Operations[name] is not JsonObject about)
            {
                continue;
            }

            string path = "/" + endpoint.RoutePattern.RawText!.Trim('/').Replace("{**", "{", StringComparison.Ordinal);
            if (paths[path] is not JsonObject methods)
            {
                paths[path] = methods = [];
            }

            foreach (string method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [])
            {
                // What GET answers, without its body.
                if (method == "HEAD")
                {
                    continue;
                }

                methods[method.ToLowerInvariant()] = Operation(name, about, endpoint, rules, hasKeys);
            }
        }

        var document = new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "Puna", ["version"] = typeof(OpenApiDocument).Assembly.GetName().Version?.ToString(3) ?? "0.0.0" },
            ["paths"] = paths,
        };
        if (hasKeys)
        {
            document["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
                    ["header"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = "x-api-key" },
                },
            };
        }

        return document;
    }

    private static JsonObject Operation(string name, JsonObject about, RouteEndpoint endpoint, EndpointRules rules, bool hasKeys)
    {
        var operation = new JsonObject { ["operationId"] = name, ["tags"] = new JsonArray(about["tag"]!.DeepClone()), ["summary"] = about["summary"]!.DeepClone() };
        if (endpoint.RoutePattern.Parameters.Count > 0)
        {
            operation["parameters"] = new JsonArray([.. endpoint.RoutePattern.Parameters.Select(static p => new JsonObject
            {
                ["name"] = p.Name, ["in"] = "path", ["required"] = true, ["schema"] = new JsonObject { ["type"] = "string" },
            })]);
        }

        if (about["request"] is { } request)
        {
            operation["requestBody"] = new JsonObject
            {
                ["required"] = true,
                ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = request.DeepClone(), ["example"] = about["example"]!.DeepClone() } },
            };
        }

        operation["responses"] = new JsonObject
        {
            ["200"] = Answer("The answer", [.. about["answers"]!.AsArray().Select(static a => a!.GetValue<string>())]),
            ["default"] = Answer("An error, in the shape of this API", "application/json"),
        };
        if (hasKeys && !rules.IsOpen)
        {
            operation["security"] = new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }, new JsonObject { ["header"] = new JsonArray() });
        }

        return operation;
    }

    private static JsonObject Answer(string description, params string[] types) => new()
    {
        ["description"] = description,
        ["content"] = new JsonObject([.. types.Select(static t => KeyValuePair.Create<string, JsonNode?>(t, new JsonObject { ["schema"] = new JsonObject { ["type"] = t == "application/json" ? "object" : "string" } }))]),
    };

    private static JsonObject Load()
    {
        using Stream stream = typeof(OpenApiDocument).Assembly.GetManifestResourceStream("api/operations.json") ?? throw new InvalidOperationException("operations.json was not embedded by the build");
        return JsonNode.Parse(stream)!.AsObject();
    }
}
