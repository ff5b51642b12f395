using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Runtime.Chat;
using Puna.Runtime.Serving;
using Puna.Server.Http;

namespace Puna.Server.OpenAI;

/// <summary>Answers and stream events of <c>/v1/responses</c>.</summary>
internal sealed class ResponseJson(string model, RequestObject body, ChatRequest request)
{
    private readonly string _id = Ids.New("resp_");
    private readonly long _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private readonly List<JsonObject> _output = [];
    private readonly StringBuilder _pending = new();
    private JsonObject? _item; // the one being written
    private ChatFinishReason _finish = ChatFinishReason.Stop;
    private int _sequence;

    /// <summary>The number of the answer.</summary>
    public string Number => _id;

    /// <summary>A whole answer: the same items that a stream puts together.</summary>
    public JsonObject Whole(CollectedReply reply, GenerationUsage usage)
    {
        _finish = reply.Finish;
        foreach (CollectedPart part in reply.Parts)
        {
            string status = part == reply.Parts[^1] ? Status(_finish) : "completed";
            _output.Add(part.Call is { } call ? Call(Ids.New("fc_"), call.Id, call.Name, part.Text, status) : Message(Ids.New("msg_"), part.Text, status));
        }

        if (_output.Count == 0)
        {
            _output.Add(Message(Ids.New("msg_"), "", Status(_finish)));
        }

        return Response(Status(_finish), usage);
    }

    /// <summary>The first events of a stream.</summary>
    public IEnumerable<JsonObject> Begin()
    {
        yield return Event("response.created", new JsonObject { ["response"] = Response("in_progress", null) });
        yield return Event("response.in_progress", new JsonObject { ["response"] = Response("in_progress", null) });
    }

    /// <summary>The events that an event of the reply becomes.</summary>
    public IEnumerable<JsonObject> Events(ChatEvent found)
    {
        switch (found)
        {
            case ChatEvent.TextDelta { Text.Length: > 0 } delta:
                foreach (JsonObject e in OpenMessage())
                {
                    yield return e;
                }

                _pending.Append(delta.Text);
                yield return Event("response.output_text.delta", Part(new JsonObject { ["delta"] = delta.Text, ["logprobs"] = new JsonArray() }));
                break;
            case ChatEvent.ToolCallStart start:
                foreach (JsonObject e in Close("completed"))
                {
                    yield return e;
                }

                _item = Call(Ids.New("fc_"), start.Id, start.Name, "", "in_progress");
                yield return Event("response.output_item.added", new JsonObject { ["output_index"] = _output.Count, ["item"] = _item.DeepClone() });
                break;
            case ChatEvent.ToolArgumentsDelta delta:
                _pending.Append(delta.Arguments);
                yield return Event("response.function_call_arguments.delta", new JsonObject { ["item_id"] = Id(), ["output_index"] = _output.Count, ["delta"] = delta.Arguments });
                break;
            case ChatEvent.Finished end:
                _finish = end.Reason;
                if (_item is null && _output.Count == 0)
                {
                    foreach (JsonObject e in OpenMessage())
                    {
                        yield return e;
                    }
                }

                foreach (JsonObject e in Close(Status(_finish)))
                {
                    yield return e;
                }

                break;
        }
    }

    /// <summary>The last event.</summary>
    public JsonObject End(GenerationUsage usage) =>
        Event(Status(_finish) == "completed" ? "response.completed" : "response.incomplete", new JsonObject { ["response"] = Response(Status(_finish), usage) });

    /// <summary>The last event of a request that failed on the way.</summary>
    public JsonObject Failed(ApiException error)
    {
        JsonObject response = Response("failed", null);
        response["error"] = new JsonObject { ["code"] = "server_error", ["message"] = error.Message };
        return Event("response.failed", new JsonObject { ["response"] = response });
    }

    private static string Status(ChatFinishReason reason) => reason is ChatFinishReason.Length or ChatFinishReason.ContentFilter ? "incomplete" : "completed";

    private static JsonObject Text(string text) => new() { ["type"] = "output_text", ["text"] = text, ["annotations"] = new JsonArray(), ["logprobs"] = new JsonArray() };

    private static JsonObject Message(string id, string? text, string status) => new()
    {
        ["type"] = "message", ["id"] = id, ["role"] = "assistant", ["status"] = status, ["content"] = text is null ? new JsonArray() : new JsonArray(Text(text)),
    };

    private static JsonObject Call(string id, string callId, string name, string arguments, string status) => new()
    {
        ["type"] = "function_call", ["id"] = id, ["call_id"] = callId, ["name"] = name, ["arguments"] = arguments, ["status"] = status,
    };

    private string Id() => _item!["id"]!.GetValue<string>();

    private IEnumerable<JsonObject> OpenMessage()
    {
        if (_item?["type"]?.GetValue<string>() == "message")
        {
            yield break;
        }

        foreach (JsonObject e in Close("completed"))
        {
            yield return e;
        }

        _item = Message(Ids.New("msg_"), null, "in_progress");
        yield return Event("response.output_item.added", new JsonObject { ["output_index"] = _output.Count, ["item"] = _item.DeepClone() });
        yield return Event("response.content_part.added", Part(new JsonObject { ["part"] = Text("") }));
    }

    private IEnumerable<JsonObject> Close(string status)
    {
        if (_item is null)
        {
            yield break;
        }

        string text = _pending.ToString(), id = Id();
        _pending.Clear();
        JsonObject done;
        if (_item["type"]!.GetValue<string>() == "message")
        {
            yield return Event("response.output_text.done", Part(new JsonObject { ["text"] = text, ["logprobs"] = new JsonArray() }));
            yield return Event("response.content_part.done", Part(new JsonObject { ["part"] = Text(text) }));
            done = Message(id, text, status);
        }
        else
        {
            string name = _item["name"]!.GetValue<string>();
            yield return Event("response.function_call_arguments.done", new JsonObject { ["item_id"] = id, ["output_index"] = _output.Count, ["name"] = name, ["arguments"] = text });
            done = Call(id, _item["call_id"]!.GetValue<string>(), name, text, status);
        }

        yield return Event("response.output_item.done", new JsonObject { ["output_index"] = _output.Count, ["item"] = done.DeepClone() });
        _output.Add(done);
        _item = null;
    }

    private JsonObject Part(JsonObject rest)
    {
        rest.Insert(0, "item_id", Id());
        rest.Insert(1, "output_index", _output.Count);
        rest.Insert(2, "content_index", 0);
        return rest;
    }

    private JsonObject Event(string type, JsonObject rest)
    {
        rest.Insert(0, "type", type);
        rest.Insert(1, "sequence_number", _sequence++);
        return rest;
    }

    private JsonObject Response(string status, GenerationUsage? usage) => new()
    {
        ["id"] = _id,
        ["object"] = "response",
        ["created_at"] = _created,
        ["status"] = status,
        ["error"] = null,
        ["incomplete_details"] = status == "incomplete" ? new JsonObject { ["reason"] = _finish == ChatFinishReason.ContentFilter ? "content_filter" : "max_output_tokens" } : null,
        ["instructions"] = body.String("instructions"),
        ["max_output_tokens"] = request.MaxTokens,
        ["metadata"] = Copy("metadata") ?? new JsonObject(),
        ["model"] = model,
        ["output"] = new JsonArray([.. _output.Select(static o => o.DeepClone())]),
        ["parallel_tool_calls"] = request.ParallelToolCalls,
        ["previous_response_id"] = null,
        ["store"] = false,
        ["temperature"] = request.Sampling.Temperature,
        ["text"] = new JsonObject { ["format"] = body.Object("text")?.Find("format") is { } format ? JsonNode.Parse(format.GetRawText()) : new JsonObject { ["type"] = "text" } },
        ["tool_choice"] = Copy("tool_choice") ?? "auto",
        ["tools"] = Tools(),
        ["top_p"] = request.Sampling.TopP,
        ["truncation"] = "disabled",
        ["usage"] = usage is null ? null : new JsonObject
        {
            ["input_tokens"] = usage.PromptTokens,
            ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.CachedTokens, ["cache_write_tokens"] = 0 },
            ["output_tokens"] = usage.GeneratedTokens,
            ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 },
            ["total_tokens"] = usage.PromptTokens + usage.GeneratedTokens,
        },
    };

    private JsonArray Tools() => new([.. request.Tools.Select(static tool => new JsonObject
    {
        ["type"] = "function", ["name"] = tool.Name, ["description"] = tool.Description, ["parameters"] = tool.Parameters is null ? new JsonObject() : JsonNode.Parse(tool.Parameters), ["strict"] = tool.IsStrict,
    })]);

    private JsonNode? Copy(string name) => body.Find(name) is { } value ? JsonNode.Parse(value.GetRawText()) : null;
}
