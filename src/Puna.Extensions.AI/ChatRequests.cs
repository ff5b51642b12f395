using Microsoft.Extensions.AI;
using Puna.Models.Adapters;
using Puna.Runtime.Chat;
using Puna.Runtime.Sampling;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace Puna.Extensions.AI;

/// <summary>Turns messages and options of the abstractions into requests.</summary>
internal static class ChatRequests
{
    /// <summary>The request.</summary>
    /// <param name="messages">The conversation; not changed.</param>
    /// <param name="options">The options; not changed.</param>
    /// <param name="modelId">The model there is.</param>
    /// <param name="seesImages">Whether it sees pictures.</param>
    /// <param name="client">Who asks; given to <see cref="ChatOptions.RawRepresentationFactory"/>.</param>
    /// <param name="adapters">Adapters that may be asked for by name, or null.</param>
    /// <exception cref="NotSupportedException">What is asked for cannot be done.</exception>
    public static ChatRequest Create(
        IEnumerable<ChatMessage> messages, ChatOptions? options, string modelId, bool seesImages, IChatClient client, IReadOnlyDictionary<string, UnmergedAdapter>? adapters = null)
    {
        List<Puna.Text.Chat.ChatMessage> converted = ChatMessages.Convert(messages, options?.Instructions, seesImages);
        if (options is null)
        {
            return new ChatRequest { Messages = converted };
        }

        UnmergedAdapter? adapter = null;
        if (options.ModelId is { } asked && asked != modelId && adapters?.TryGetValue(asked, out adapter) is not true)
        {
            throw new NotSupportedException($"model: expected {string.Join(", ", [modelId, .. adapters?.Keys ?? []])}, got {asked}");
        }

        if (options.ConversationId is not null)
        {
            throw new NotSupportedException("conversation id: expected none, since conversations are not kept: send all messages");
        }

        ChatRequest request = options.RawRepresentationFactory?.Invoke(client) as ChatRequest is { } own ? own with { Messages = converted } : new ChatRequest { Messages = converted };
        if (request.Choices != 1)
        {
            throw new NotSupportedException($"choices: expected 1, since a response is one reply, got {request.Choices}");
        }

        request = request with
        {
            Adapter = adapter ?? request.Adapter,
            MaxTokens = options.MaxOutputTokens ?? request.MaxTokens,
            StopStrings = options.StopSequences is null ? request.StopStrings : [.. options.StopSequences],
            Format = Format(options.ResponseFormat) ?? request.Format,
            ParallelToolCalls = options.AllowMultipleToolCalls ?? request.ParallelToolCalls,
            Sampling = request.Sampling with
            {
                Temperature = MoreOptions.Exact(options.Temperature) ?? request.Sampling.Temperature,
                TopP = MoreOptions.Exact(options.TopP) ?? request.Sampling.TopP,
                TopK = options.TopK ?? request.Sampling.TopK,
                FrequencyPenalty = MoreOptions.Exact(options.FrequencyPenalty) ?? request.Sampling.FrequencyPenalty,
                PresencePenalty = MoreOptions.Exact(options.PresencePenalty) ?? request.Sampling.PresencePenalty,
                Seed = options.Seed ?? request.Sampling.Seed,
            },
        };
        if (options.Tools is { Count: > 0 } tools)
        {
            request = request with { Tools = [.. tools.Select(Tool)] };
        }

        request = WithToolMode(request, options.ToolMode);
        return options.AdditionalProperties is { } more ? MoreOptions.Apply(request, more) : request;
    }

    private static ChatRequest WithToolMode(ChatRequest request, ChatToolMode? mode) => mode switch
    {
        null => request,
        NoneChatToolMode => request with { ToolChoice = ToolChoiceMode.None },
        RequiredChatToolMode { RequiredFunctionName: { } name } => request with { ToolChoice = ToolChoiceMode.Required, AllowedTools = [name] },
        RequiredChatToolMode => request with { ToolChoice = ToolChoiceMode.Required },
        AutoChatToolMode => request with { ToolChoice = ToolChoiceMode.Auto },
        _ => throw new NotSupportedException($"tool mode: expected none, auto or required, got {mode.GetType().Name}"),
    };

    private static ReplyFormat? Format(ChatResponseFormat? format) => format switch
    {
        null => null,
        ChatResponseFormatText => ReplyFormat.Text,
        ChatResponseFormatJson { Schema: { } schema } => new ReplyFormat(ReplyFormatKind.JsonSchema, schema.GetRawText()),
        ChatResponseFormatJson => ReplyFormat.JsonObject,
        _ => throw new NotSupportedException($"response format: expected text or JSON, got {format.GetType().Name}"),
    };

    private static ToolDefinition Tool(AITool tool)
    {
        if (tool is not AIFunctionDeclaration function)
        {
            throw new NotSupportedException($"tool {tool.Name}: expected a function, got {tool.GetType().Name}");
        }

        bool isStrict = function.AdditionalProperties.TryGetValue("strict", out object? strict) && strict is true;
        return new ToolDefinition(function.Name, string.IsNullOrEmpty(function.Description) ? null : function.Description, function.JsonSchema.GetRawText(), isStrict);
    }
}
