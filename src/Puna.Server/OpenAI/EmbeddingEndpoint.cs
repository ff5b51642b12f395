using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Puna.Runtime.Serving;
using Puna.Server.Http;

namespace Puna.Server.OpenAI;

/// <summary><c>/v1/embeddings</c> and <c>/v1/rerank</c>: texts as vectors, means of the states behind the last norm, of length one.</summary>
internal sealed class EmbeddingEndpoint(ModelHost host)
{
    private const int Most = 2048;

    /// <summary>Adds the endpoints.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/embeddings", EmbedAsync).WithName("createEmbedding");
        routes.MapPost("/v1/rerank", RerankAsync).WithName("rerank");
    }

    /// <summary>Fewer dimensions: the first of them, stretched to length one again.</summary>
    public static float[] Shorten(float[] vector, int? dimensions)
    {
        if (dimensions is not int count || count == vector.Length)
        {
            return vector;
        }

        float[] part = vector[..count];
        double length = Math.Sqrt(part.Sum(static v => (double)v * v));
        return [.. part.Select(v => (float)(length == 0 ? 0 : v / length))];
    }

    private async Task EmbedAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string name = body.RequireString("model");
        ServedModel model = host.Find(name);
        host.CountUnknown(body, KnownFields.Embedding);
        IReadOnlyList<int[]> prompts = PromptFields.Read(body, "input", model.Tokenizer, Most);
        int? dimensions = body.Int("dimensions", 1, model.Engine.Model.Llama.Config.Hidden);
        bool isBase64 = (body.String("encoding_format") ?? "float") switch
        {
            "float" => false,
            "base64" => true,
            string other => throw ApiException.Bad("encoding_format", $"encoding_format: expected float or base64, got {Tensors.PunaException.OneLine(other)}"),
        };
        float[][] vectors = await host.EmbedAsync(http, name, prompts);
        int tokens = prompts.Sum(static p => p.Length);
        await JsonBody.WriteAsync(http, new JsonObject
        {
            ["object"] = "list",
            ["data"] = new JsonArray([.. vectors.Select((v, i) => new JsonObject
            {
                ["object"] = "embedding", ["index"] = i, ["embedding"] = isBase64 ? Base64(Shorten(v, dimensions)) : new JsonArray([.. Shorten(v, dimensions).Select(static x => (JsonNode)x)]),
            })]),
            ["model"] = name,
            ["usage"] = new JsonObject { ["prompt_tokens"] = tokens, ["total_tokens"] = tokens },
        });
    }

    private async Task RerankAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string name = body.RequireString("model");
        ServedModel model = host.Find(name);
        host.CountUnknown(body, KnownFields.Rerank);
        IReadOnlyList<string> documents = body.Has("documents") ? body.Strings("documents", Most) : throw body.Missing("documents");
        int[][] prompts = [model.Tokenizer.EncodePrompt(body.RequireString("query")), .. documents.Select(d => model.Tokenizer.EncodePrompt(d))];
        int top = body.Int("top_n", 1) ?? documents.Count;
        float[][] vectors = await host.EmbedAsync(http, name, prompts);
        bool withText = body.Bool("return_documents") ?? false;
        var ranked = documents.Select((text, i) => (Text: text, Index: i, Score: vectors[0].Zip(vectors[i + 1], static (a, b) => (double)a * b).Sum()))
            .OrderByDescending(static d => d.Score).ThenBy(static d => d.Index).Take(top);
        await JsonBody.WriteAsync(http, new JsonObject
        {
            ["model"] = name,
            ["results"] = new JsonArray([.. ranked.Select(d =>
            {
                var result = new JsonObject { ["index"] = d.Index, ["relevance_score"] = d.Score };
                if (withText)
                {
                    result["document"] = new JsonObject { ["text"] = d.Text };
                }

                return result;
            })]),
            ["usage"] = new JsonObject { ["total_tokens"] = prompts.Sum(static p => p.Length) },
        });
    }

    private static string Base64(float[] vector)
    {
        var bytes = new byte[vector.Length * sizeof(float)];
        for (int i = 0; i < vector.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        }

        return Convert.ToBase64String(bytes);
    }
}
