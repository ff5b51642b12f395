using Puna.Models.Adapters;
using Puna.Runtime.Sampling;
using Puna.Text.Chat;

namespace Puna.Runtime.Chat;

/// <summary>A conversation that a model is to continue.</summary>
public sealed record ChatRequest
{
    /// <summary>The messages, at least one.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>Tools that may be called.</summary>
    public IReadOnlyList<ToolDefinition> Tools { get; init; } = [];

    /// <summary>Whether a tool may or must be called.</summary>
    public ToolChoiceMode ToolChoice { get; init; } = ToolChoiceMode.Auto;

    /// <summary>The only tools that may be called, by name; null allows all. All of them stay in the prompt.</summary>
    public IReadOnlyList<string>? AllowedTools { get; init; }

    /// <summary>Whether one reply may make several calls.</summary>
    public bool ParallelToolCalls { get; init; } = true;

    /// <summary>What the reply has to look like.</summary>
    public ReplyFormat Format { get; init; } = ReplyFormat.Text;

    /// <summary>Most tokens to generate; null means until the model stops or its context is full.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Tokens before which the model cannot stop.</summary>
    public int MinTokens { get; init; }

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>How many replies, at least 1.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Texts that end a reply; they are not part of it.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Whether tokens that end a text are generated like others.</summary>
    public bool IgnoreStopIds { get; init; }

    /// <summary>As <see cref="Serving.GenerationRequest.Adapter"/>.</summary>
    public UnmergedAdapter? Adapter { get; init; }

    /// <summary>As <see cref="Serving.GenerationRequest.Key"/>.</summary>
    public string Key { get; init; } = "";

    /// <summary>As <see cref="Serving.GenerationRequest.CacheSalt"/>.</summary>
    public string CacheSalt { get; init; } = "";

    /// <summary>Further variables for a chat template (JSON object), or null.</summary>
    public string? TemplateVariables { get; init; }
}
