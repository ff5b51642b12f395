using System.Security.Cryptography;
using System.Text;
using Puna.Runtime.Chat;
using Puna.Runtime.Serving;
using Puna.Server.Http;
using Puna.Server.Operations;

namespace Puna.Server;

/// <summary>What all endpoints share: the model, what is counted, and whether the server is ending.</summary>
internal sealed class ModelHost(ServedModel model, ServerMetrics metrics, ServerState state)
{
    /// <summary>The model.</summary>
    public ServedModel Model => model;

    /// <summary>What is counted.</summary>
    public ServerMetrics Metrics => metrics;

    /// <summary>Whether the server is ending.</summary>
    public ServerState State => state;

    /// <summary>Every name of the model.</summary>
    public IReadOnlyList<string> Names => [model.Name, .. model.Aliases];

    /// <summary>Tells one state of weights and program from another.</summary>
    public string Fingerprint { get; } = "fp_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"{model.Name} {model.Bytes} {model.Engine.Model.Llama.Config.ParameterCount} {typeof(ModelHost).Assembly.GetName().Version}")).AsSpan(0, 6));

    /// <summary>The model of a name.</summary>
    public ServedModel Find(string name) => model.Answers(name)
        ? model
        : throw new ApiException(404, "not_found_error", "model_not_found", $"model {Tensors.PunaException.OneLine(name)}: expected {model.Name}, got another", "model");

    /// <summary>Conversations with the model.</summary>
    public ChatEngine RequireChat() => model.Chat
        ?? throw new ApiException(400, "invalid_request_error", "unsupported_parameter", $"model {model.Name}: expected one with a chat format, got one that continues plain text (use /v1/completions)", "model");

    /// <summary>Counts a request when it is over, however that comes.</summary>
    public RequestRecord Record(ChatReply reply, ChatRequest request) => new(metrics, () => reply.Usage, request.Choices, request.MaxTokens);

    /// <summary>Counts a request when it is over, however that comes.</summary>
    public RequestRecord Record(GenerationHandle handle, GenerationRequest request) => new(metrics, () => handle.Usage, request.Choices, request.MaxTokens);
}
