using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.AI;
using Puna.Models.Adapters;
using Puna.Runtime.Chat;
using Puna.Runtime.Serving;
using ChatFinishReason = Microsoft.Extensions.AI.ChatFinishReason;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatRole = Microsoft.Extensions.AI.ChatRole;

namespace Puna.Extensions.AI;

/// <summary>
/// A Llama model as an <see cref="IChatClient"/>: text, pictures where the model sees them, streaming, tools both ways, response formats, usage, cancellation. Thread-safe, any number of requests at once; owns neither the
/// engine nor the model. It calls no tools by itself: put <c>UseFunctionInvocation()</c> before it.
/// </summary>
/// <remarks>
/// A call of a tool is one update, sent when its arguments are complete. What a request asks for and an engine cannot do is a <see cref="NotSupportedException"/> that names it; what is
/// wrong with a request is a <see cref="Puna.Tensors.PunaException"/>, as in <see cref="ChatEngine.Start"/>. <see cref="ChatOptions.AllowBackgroundResponses"/>,
/// <see cref="ChatOptions.ContinuationToken"/> and <see cref="ChatOptions.Reasoning"/> have no effect.
/// </remarks>
public sealed class PunaChatClient : IChatClient
{
    private readonly ChatEngine _engine;
    private readonly ChatClientMetadata _metadata;
    private readonly IReadOnlyDictionary<string, UnmergedAdapter> _adapters;
    private readonly TimeProvider _time;

    /// <summary>Creates a client.</summary>
    /// <param name="engine">Conversations on an engine; stays open as long as the client.</param>
    /// <param name="modelId">The name of the model in answers; null means that of its file.</param>
    /// <param name="time">The clock; that of the machine where null.</param>
    /// <param name="adapters">Adapters of the model, by the names that <see cref="ChatOptions.ModelId"/> asks for them.</param>
    public PunaChatClient(ChatEngine engine, string? modelId = null, TimeProvider? time = null, IReadOnlyDictionary<string, UnmergedAdapter>? adapters = null)
    {
        _adapters = adapters ?? new Dictionary<string, UnmergedAdapter>();
        _engine = engine;
        _time = time ?? TimeProvider.System;
        _metadata = new ChatClientMetadata("puna", null, modelId ?? ModelName.Of(engine.Engine.Model));
    }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);

        // The conversation as it is now: who asks may change his list while the reply comes.
        return Stream(ChatRequests.Create(messages, options, _metadata.DefaultModelId!, _engine.SeesImages, this, _adapters), options?.ModelId ?? _metadata.DefaultModelId!, cancellationToken);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType == typeof(ChatEngine) ? _engine
            : serviceType == typeof(Engine) ? _engine.Engine
            : serviceType == typeof(Runtime.Generation.LanguageModel) ? _engine.Engine.Model
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Does nothing: the engine belongs to whoever made it.</summary>
    public void Dispose()
    {
    }

    private async IAsyncEnumerable<ChatResponseUpdate> Stream(ChatRequest request, string model, [EnumeratorCancellation] CancellationToken cancel)
    {
        // Templates, tokens and constraints take their time, which is not the caller's thread's.
        using ChatReply reply = await Task.Run(() => _engine.StartAsync(request, cancel), cancel).ConfigureAwait(false);
        var stamp = new UpdateStamp($"chatcmpl-{Guid.NewGuid():N}", $"msg_{Guid.NewGuid():N}", model, _time.GetUtcNow());
        (string Id, string Name, StringBuilder Arguments)? call = null;
        await foreach (ChatEvent found in reply.ReadAsync(cancel).ConfigureAwait(false))
        {
            if (call is { } done && found is ChatEvent.ToolCallStart or ChatEvent.Finished or ChatEvent.TextDelta)
            {
                call = null;
                yield return stamp.Update(found, [Arguments.Call(done.Id, done.Name, done.Arguments.ToString())]);
            }

            switch (found)
            {
                case ChatEvent.TextDelta delta:
                    yield return stamp.Update(delta, delta.Text.Length == 0 ? [] : [new TextContent(delta.Text)]);
                    break;
                case ChatEvent.ToolCallStart start:
                    call = (start.Id, start.Name, new StringBuilder());
                    break;
                case ChatEvent.ToolArgumentsDelta more:
                    call!.Value.Arguments.Append(more.Arguments);
                    break;
                case ChatEvent.Finished end:
                    List<AIContent> contents = end.Reason == Runtime.Chat.ChatFinishReason.ContentFilter ? [new ErrorContent("the content filter refused the conversation") { ErrorCode = "content_filter" }] : [];
                    contents.Add(new UsageContent(Usage(reply.Usage)));
                    ChatResponseUpdate last = stamp.Update(end, contents);
                    last.FinishReason = Reason(end.Reason);
                    yield return last;
                    break;
            }
        }
    }

    private static ChatFinishReason Reason(Runtime.Chat.ChatFinishReason reason) => reason switch
    {
        Runtime.Chat.ChatFinishReason.Length => ChatFinishReason.Length,
        Runtime.Chat.ChatFinishReason.ToolCalls => ChatFinishReason.ToolCalls,
        Runtime.Chat.ChatFinishReason.ContentFilter => ChatFinishReason.ContentFilter,
        _ => ChatFinishReason.Stop,
    };

    private static UsageDetails Usage(GenerationUsage usage)
    {
        var details = new UsageDetails
        {
            InputTokenCount = usage.PromptTokens,
            OutputTokenCount = usage.GeneratedTokens,
            TotalTokenCount = usage.PromptTokens + usage.GeneratedTokens,
            CachedInputTokenCount = usage.CachedTokens,
        };
        if (usage.GuessedTokens > 0)
        {
            details.AdditionalCounts = new AdditionalPropertiesDictionary<long> { ["guessed_tokens"] = usage.GuessedTokens, ["accepted_tokens"] = usage.AcceptedTokens };
        }

        return details;
    }
}
