using System.Text.Json.Nodes;
using Puna.Runtime.Chat;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Server.Http;
using Puna.Text;

namespace Puna.Server.OpenAI;

/// <summary>Answers and stream events of <c>/v1/chat/completions</c> (spec serving.md 3.2 and 3.3).</summary>
internal sealed class ChatCompletionJson(string model, string fingerprint, Tokenizer tokenizer, bool hasLogProbs, bool hasUsage)
{
    private readonly string _id = Ids.New("chatcmpl-");
    private readonly long _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private readonly HashSet<int> _begun = [];

    /// <summary>A whole answer.</summary>
    public JsonObject Whole(IReadOnlyList<CollectedReply> replies, GenerationUsage usage)
    {
        JsonObject answer = Head("chat.completion");
        answer["choices"] = new JsonArray([.. replies.Select((reply, i) => new JsonObject
        {
            ["index"] = i,
            ["message"] = Message(reply),
            ["logprobs"] = hasLogProbs ? LogProbs(reply.LogProbs) : null,
            ["finish_reason"] = Reason(reply.Finish),
        })]);
        answer["usage"] = Usage(usage);
        return answer;
    }

    /// <summary>The chunks that an event becomes.</summary>
    public IEnumerable<JsonObject> Chunks(ChatEvent found)
    {
        if (_begun.Add(found.Choice))
        {
            yield return Chunk(found.Choice, new JsonObject { ["role"] = "assistant", ["content"] = "" });
        }

        switch (found)
        {
            case ChatEvent.TextDelta delta:
                yield return Chunk(found.Choice, new JsonObject { ["content"] = delta.Text }, logProbs: hasLogProbs ? LogProbs(delta.LogProbs) : null);
                break;
            case ChatEvent.ToolCallStart start:
                yield return Chunk(found.Choice, Call(new JsonObject
                {
                    ["index"] = start.Index, ["id"] = start.Id, ["type"] = "function", ["function"] = new JsonObject { ["name"] = start.Name, ["arguments"] = "" },
                }));
                break;
            case ChatEvent.ToolArgumentsDelta delta:
                yield return Chunk(found.Choice, Call(new JsonObject { ["index"] = delta.Index, ["function"] = new JsonObject { ["arguments"] = delta.Arguments } }));
                break;
            case ChatEvent.Finished end:
                yield return Chunk(found.Choice, [], Reason(end.Reason));
                break;
        }
    }

    /// <summary>The last chunk, where usage was asked for.</summary>
    public JsonObject UsageChunk(GenerationUsage usage)
    {
        JsonObject chunk = Head("chat.completion.chunk");
        chunk["choices"] = new JsonArray();
        chunk["usage"] = Usage(usage);
        return chunk;
    }

    /// <summary>What a request took.</summary>
    public static JsonObject Usage(GenerationUsage usage) => new()
    {
        ["prompt_tokens"] = usage.PromptTokens,
        ["completion_tokens"] = usage.GeneratedTokens,
        ["total_tokens"] = usage.PromptTokens + usage.GeneratedTokens,
        ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.CachedTokens, ["audio_tokens"] = 0 },
        ["completion_tokens_details"] = new JsonObject
        {
            ["reasoning_tokens"] = 0, ["audio_tokens"] = 0, ["accepted_prediction_tokens"] = usage.AcceptedTokens, ["rejected_prediction_tokens"] = usage.GuessedTokens - usage.AcceptedTokens,
        },
    };

    /// <summary>Why a reply ended, in OpenAI's words.</summary>
    public static string Reason(ChatFinishReason reason) => reason switch
    {
        ChatFinishReason.Length => "length",
        ChatFinishReason.ToolCalls => "tool_calls",
        ChatFinishReason.ContentFilter => "content_filter",
        _ => "stop",
    };

    private static JsonObject Call(JsonObject call) => new() { ["tool_calls"] = new JsonArray(call) };

    private static JsonObject Message(CollectedReply reply)
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = reply.Calls.Count > 0 && reply.Text.Length == 0 ? null : reply.Text, ["refusal"] = null, ["annotations"] = new JsonArray() };
        if (reply.Calls.Count > 0)
        {
            message["tool_calls"] = new JsonArray([.. reply.Calls.Select(static call => new JsonObject
            {
                ["id"] = call.Id, ["type"] = "function", ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
            })]);
        }

        return message;
    }

    private JsonObject LogProbs(IReadOnlyList<TokenLogProbs> tokens) => new() { ["content"] = new JsonArray([.. tokens.Select(t => LogProbsJson.Chat(t, tokenizer))]), ["refusal"] = null };

    private JsonObject Chunk(int choice, JsonObject delta, string? reason = null, JsonObject? logProbs = null)
    {
        JsonObject chunk = Head("chat.completion.chunk");
        chunk["choices"] = new JsonArray(new JsonObject { ["index"] = choice, ["delta"] = delta, ["logprobs"] = logProbs, ["finish_reason"] = reason });
        if (hasUsage)
        {
            chunk["usage"] = null;
        }

        return chunk;
    }

    private JsonObject Head(string kind) => new() { ["id"] = _id, ["object"] = kind, ["created"] = _created, ["model"] = model, ["system_fingerprint"] = fingerprint };
}
