using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Puna.Runtime.Chat;
using Puna.Runtime.Serving;
using Puna.Server.Http;
using Puna.Server.Operations;

namespace Puna.Server;

/// <summary>What all endpoints share: the model, what is counted, and whether the server is ending.</summary>
internal sealed class ModelHost(ServedModel model, ServerMetrics metrics, ServerTelemetry telemetry, ServerState state)
{
    /// <summary>The model.</summary>
    public ServedModel Model => model;

    /// <summary>What is counted.</summary>
    public ServerMetrics Metrics => metrics;

    /// <summary>Whether the server is ending.</summary>
    public ServerState State => state;

    /// <summary>Every name of the model, those of its adapters included.</summary>
    public IReadOnlyList<string> Names => [model.Name, .. model.Aliases, .. model.Adapters.Keys];

    /// <summary>Tells one state of weights and program from another.</summary>
    public string Fingerprint { get; } = "fp_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"{model.Name} {model.Bytes} {model.Engine.Model.Llama.Config.ParameterCount} {typeof(ModelHost).Assembly.GetName().Version}")).AsSpan(0, 6));

    /// <summary>The model of a name.</summary>
    public ServedModel Find(string name) => model.Answers(name)
        ? model
        : throw new ApiException(404, "not_found_error", "model_not_found", $"model {Tensors.PunaException.OneLine(name)}: expected {model.Name}, got another", "model");

    /// <summary>Counts members of a request that nothing here knows.</summary>
    /// <param name="body">The request.</param>
    /// <param name="known">What is known.</param>
    public void CountUnknown(RequestObject body, IReadOnlySet<string> known)
    {
        int unknown = 0;
        foreach (JsonProperty member in body.Element.EnumerateObject())
        {
            unknown += known.Contains(member.Name) ? 0 : 1;
        }

        metrics.AddUnknownFields(unknown);
    }

    /// <summary>Conversations with the model.</summary>
    public ChatEngine RequireChat() => model.Chat
        ?? throw new ApiException(400, "invalid_request_error", "unsupported_parameter", $"model {model.Name}: expected one with a chat format, got one that continues plain text (use /v1/completions)", "model");

    /// <summary>Counts and traces a request when it is over, however that comes.</summary>
    /// <param name="http">Where it came from.</param>
    /// <param name="name">The name that was asked for.</param>
    /// <param name="reply">What it is answered with.</param>
    /// <param name="request">The request.</param>
    public RequestRecord Record(HttpContext http, string name, ChatReply reply, ChatRequest request)
    {
        TelemetrySpan span = telemetry.Begin("chat", name, model.Name);
        span.Asked(request.Sampling, request.MaxTokens, request.Choices, request.StopStrings, request.Format.Kind is ReplyFormatKind.JsonObject or ReplyFormatKind.JsonSchema);
        span.Listens(request, reply);
        return new(metrics, span, () => reply.Usage, request.Choices, request.MaxTokens, http.RequestAborted);
    }

    /// <summary>Counts and traces a request when it is over, however that comes.</summary>
    /// <param name="http">Where it came from.</param>
    /// <param name="name">The name that was asked for.</param>
    /// <param name="handle">What it is answered with.</param>
    /// <param name="request">The request.</param>
    public RequestRecord Record(HttpContext http, string name, GenerationHandle handle, GenerationRequest request)
    {
        TelemetrySpan span = telemetry.Begin("text_completion", name, model.Name);
        span.Asked(request.Sampling, request.MaxTokens, request.Choices, request.StopStrings, isJson: false);
        return new(metrics, span, () => handle.Usage, request.Choices, request.MaxTokens, http.RequestAborted);
    }

    /// <summary>Vectors of prompts, traced.</summary>
    /// <param name="http">Where the request came from.</param>
    /// <param name="name">The name that was asked for.</param>
    /// <param name="prompts">The prompts.</param>
    public async Task<float[][]> EmbedAsync(HttpContext http, string name, IReadOnlyList<int[]> prompts)
    {
        TelemetrySpan span = telemetry.Begin("embeddings", name, model.Name);
        string? error = RequestRecord.Cancelled;
        try
        {
            float[][] vectors = await model.Engine.EmbedAsync(prompts, EmbeddingPooling.Mean, http.RequestAborted, http.Owner(), model.AdapterOf(name));
            error = null;
            return vectors;
        }
        catch (Exception e) when (ApiException.Of(e) is { } answer)
        {
            error = answer.Code ?? answer.Type;
            throw;
        }
        finally
        {
            span.End(null, prompts.Sum(static p => p.Length), 1, [], error);
        }
    }
}
