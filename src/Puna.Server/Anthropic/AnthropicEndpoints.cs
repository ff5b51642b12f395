using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Puna.Runtime.Chat;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Server.Http;
using Puna.Server.OpenAI;
using Puna.Text.Chat;
using Puna.Text.Tools;

namespace Puna.Server.Anthropic;

/// <summary>Anthropic's messages and the counting of their tokens (spec serving.md 10). Input tokens that were found in the cache are counted apart.</summary>
internal sealed class AnthropicEndpoints(ModelHost host)
{
    private const int MostTools = 128;

    /// <summary>Adds the endpoints.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/messages", MessagesAsync).WithName("createMessage");
        routes.MapPost("/v1/messages/count_tokens", CountAsync).WithName("countMessageTokens");
    }

    private async Task CountAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        ServedModel model = host.Find(body.RequireString("model"));
        await JsonBody.WriteAsync(http, new JsonObject { ["input_tokens"] = host.RequireChat().CountTokens(Read(http, body, model)) });
    }

    private async Task MessagesAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string name = body.RequireString("model");
        ServedModel model = host.Find(name);
        host.CountUnknown(body, KnownFields.Message);
        ChatRequest request = Read(http, body, model) with { MaxTokens = body.Int("max_tokens", 1) ?? throw body.Missing("max_tokens"), Adapter = host.Model.AdapterOf(name) };
        bool stream = body.Bool("stream") ?? false;
        using ChatReply reply = await host.RequireChat().StartAsync(request, http.RequestAborted);
        using var recorded = host.Record(http, name, reply, request);
        string id = Ids.New("msg_");
        recorded.Answers(id, stream);
        if (!stream)
        {
            CollectedReply whole = (await recorded.WatchAsync(CollectedReply.ReadAsync(reply, 1, http.RequestAborted)))[0];
            recorded.Ended(ChatCompletionJson.Reason(whole.Finish));
            JsonObject answer = Head(id, name, Content(whole));
            answer["stop_reason"] = Reason(whole.Finish, whole.StopString);
            answer["stop_sequence"] = whole.StopString;
            answer["usage"] = Usage(reply.Usage);
            await JsonBody.WriteAsync(http, answer);
            return;
        }

        await using EventStream events = EventStream.Begin(http);
        try
        {
            await StreamAsync(events, reply, id, name, recorded, http.RequestAborted);
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested)
        {
            ApiException error = ApiException.Of(e) ?? new ApiException(503, "unavailable_error", "draining", "the request was cancelled because the server is ending");
            recorded.Failed(e);
            await events.SendAsync(Dialects.Body(Dialect.Anthropic, error, http.Items["request-id"] as string ?? ""), "error");
        }
    }

    private static async Task StreamAsync(EventStream events, ChatReply reply, string id, string name, Operations.RequestRecord recorded, CancellationToken cancel)
    {
        JsonObject start = Head(id, name, []);
        start["stop_reason"] = null;
        start["stop_sequence"] = null;
        JsonObject usage = Usage(reply.Usage);
        usage["output_tokens"] = 0;
        start["usage"] = usage;
        await Send("message_start", new JsonObject { ["message"] = start });
        int block = -1;
        bool isText = false;
        await foreach (ChatEvent found in reply.ReadAsync(cancel))
        {
            switch (found)
            {
                case ChatEvent.TextDelta { Text.Length: > 0 } delta:
                    if (!isText)
                    {
                        await Open(new JsonObject { ["type"] = "text", ["text"] = "" });
                        isText = true;
                    }

                    await Send("content_block_delta", new JsonObject { ["index"] = block, ["delta"] = new JsonObject { ["type"] = "text_delta", ["text"] = delta.Text } });
                    break;
                case ChatEvent.ToolCallStart call:
                    await Open(new JsonObject { ["type"] = "tool_use", ["id"] = ToolId(call.Id), ["name"] = call.Name, ["input"] = new JsonObject() });
                    isText = false;
                    break;
                case ChatEvent.ToolArgumentsDelta delta:
                    await Send("content_block_delta", new JsonObject { ["index"] = block, ["delta"] = new JsonObject { ["type"] = "input_json_delta", ["partial_json"] = delta.Arguments } });
                    break;
                case ChatEvent.Finished end:
                    await Close();
                    recorded.Ended(ChatCompletionJson.Reason(end.Reason));
                    await Send("message_delta", new JsonObject
                    {
                        ["delta"] = new JsonObject { ["stop_reason"] = Reason(end.Reason, end.StopString), ["stop_sequence"] = end.StopString },
                        ["usage"] = Usage(reply.Usage),
                    });
                    break;
            }
        }

        await Send("message_stop", []);

        async Task Open(JsonObject content)
        {
            await Close();
            block++;
            await Send("content_block_start", new JsonObject { ["index"] = block, ["content_block"] = content });
        }

        Task Close() => block < 0 ? Task.CompletedTask : Send("content_block_stop", new JsonObject { ["index"] = block });

        Task Send(string type, JsonObject content)
        {
            content.Insert(0, "type", type);
            return events.SendAsync(content, type);
        }
    }

    private static ChatRequest Read(HttpContext http, RequestObject body, ServedModel model)
    {
        IReadOnlyList<RequestObject> items = body.Objects("messages", ChatMessages.Most) ?? throw body.Missing("messages");
        if (items.Count == 0)
        {
            throw ApiException.Bad("messages", "messages: expected at least one, got none");
        }

        if (body.Object("thinking") is { } thinking && thinking.String("type") != "disabled")
        {
            throw ApiException.Unsupported("thinking", "thinking: expected disabled: this model does not think aloud");
        }

        var messages = new List<ChatMessage>();
        if (ChatMessages.Content(body, "system") is { Length: > 0 } system)
        {
            messages.Add(new ChatMessage(ChatRole.System, system));
        }

        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (RequestObject item in items)
        {
            Add(item, messages, names, model);
        }

        return Choose(body, new ChatRequest
        {
            Messages = messages,
            Tools = [.. (body.Objects("tools", MostTools) ?? []).Select(Tool)],
            Format = Format(body.Object("output_config")),
            StopStrings = body.Strings("stop_sequences", 16),
            Sampling = new SamplingOptions { Temperature = body.Number("temperature", 0, 2) ?? 1, TopP = body.Number("top_p", 0, 1) ?? 1, TopK = body.Int("top_k", 0) ?? 0 },
            Key = http.Owner(),
            CacheSalt = http.Salt(body),
        });
    }

    /// <summary>A tool that the client runs; those that Anthropic runs, or knows by a type of their own, are not here.</summary>
    private static ToolDefinition Tool(RequestObject tool) => tool.String("type") is { } type and not "custom"
        ? throw ApiException.Unsupported(tool.At("type"), $"{tool.At("type")}: expected custom, got {Tensors.PunaException.OneLine(type)}")
        : new ToolDefinition(tool.RequireString("name"), tool.String("description"), tool.Object("input_schema")?.Element.GetRawText(), tool.Bool("strict") ?? false);

    /// <summary>The form of the reply: <c>output_config.format</c>.</summary>
    private static ReplyFormat Format(RequestObject? config)
    {
        if (config?.String("effort") is { } effort)
        {
            throw ApiException.Unsupported(config.Value.At("effort"), $"{config.Value.At("effort")}: expected none, got {Tensors.PunaException.OneLine(effort)}: this model does not think aloud");
        }

        return config?.Object("format") is not { } format ? ReplyFormat.Text
            : format.RequireString("type") == "json_schema" ? ToolFields.Format(format)
            : throw ApiException.Bad(format.At("type"), $"{format.At("type")}: expected json_schema, got {Tensors.PunaException.OneLine(format.String("type")!)}");
    }

    private static ChatRequest Choose(RequestObject body, ChatRequest request)
    {
        if (body.Object("tool_choice") is not { } choice)
        {
            return request;
        }

        request = request with { ParallelToolCalls = !(choice.Bool("disable_parallel_tool_use") ?? false) };
        string type = choice.RequireString("type");
        if (type is "any" or "tool" && request.Tools.Count == 0)
        {
            throw ApiException.Bad("tool_choice", "tool_choice: expected tools to choose from, got none");
        }

        switch (type)
        {
            case "auto":
                return request;
            case "none":
                return request with { ToolChoice = ToolChoiceMode.None };
            case "any":
                return request with { ToolChoice = ToolChoiceMode.Required };
            case "tool":
                string name = choice.RequireString("name");
                return request.Tools.Any(t => t.Name == name)
                    ? request with { ToolChoice = ToolChoiceMode.Required, AllowedTools = [name] }
                    : throw ApiException.Bad("tool_choice.name", $"tool_choice.name: expected one of the tools, got {Tensors.PunaException.OneLine(name)}");
            default:
                throw ApiException.Bad("tool_choice.type", $"tool_choice.type: expected auto, any, tool or none, got {Tensors.PunaException.OneLine(type)}");
        }
    }

    private static void Add(RequestObject item, List<ChatMessage> messages, Dictionary<string, string> names, ServedModel model)
    {
        string role = item.RequireString("role");
        ChatRole speaker = role switch
        {
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            _ => throw ApiException.Bad(item.At("role"), $"{item.At("role")}: expected user or assistant, got {Tensors.PunaException.OneLine(role)}"),
        };
        JsonElement content = item.Find("content") ?? throw item.Missing("content");
        if (content.ValueKind == JsonValueKind.String)
        {
            messages.Add(new ChatMessage(speaker, item.String("content")!));
            return;
        }

        var text = new StringBuilder();
        var calls = new List<ToolCall>();
        var images = new List<ChatImage>();
        foreach (RequestObject block in item.Objects("content")!)
        {
            switch (block.RequireString("type"))
            {
                case "text":
                    text.Append(block.RequireString("text"));
                    break;
                case "tool_use":
                    string id = block.RequireString("id"), name = block.RequireString("name");
                    names[id] = name;
                    calls.Add(new ToolCall(name, block.Object("input")?.Element.GetRawText() ?? "{}") { Id = id });
                    break;
                case "tool_result":
                    string answered = block.RequireString("tool_use_id");
                    messages.Add(new ChatMessage(ChatRole.Tool, ChatMessages.Content(block))
                    {
                        ToolCallId = answered,
                        ToolName = names.TryGetValue(answered, out string? tool) ? tool
                            : throw ApiException.Bad(block.At("tool_use_id"), $"{block.At("tool_use_id")}: expected the id of an earlier call, got {Tensors.PunaException.OneLine(answered)}"),
                    });
                    break;
                case "image" when speaker == ChatRole.User:
                    images.Add(ImageFields.OfBlock(block, text.Length, model));
                    break;
                case "image":
                    throw ApiException.Unsupported(block.Path, $"{block.Path}: expected text, got a picture: these stand in a user's messages alone");
                case "document":
                    throw ApiException.Unsupported(block.Path, $"{block.Path}: expected text or a picture, got a document, which this model does not read");
                case "thinking" or "redacted_thinking":
                    break;
                case string other:
                    throw ApiException.Bad(block.At("type"), $"{block.At("type")}: expected text, tool_use or tool_result, got {Tensors.PunaException.OneLine(other)}");
            }
        }

        if (text.Length > 0 || calls.Count > 0 || images.Count > 0)
        {
            messages.Add(new ChatMessage(speaker, text.ToString()) { ToolCalls = calls.Count == 0 ? null : calls, Images = images });
        }
    }

    private static JsonObject Head(string id, string model, JsonArray content) => new() { ["id"] = id, ["type"] = "message", ["role"] = "assistant", ["model"] = model, ["content"] = content };

    internal static JsonArray Content(CollectedReply reply)
    {
        var content = new JsonArray();
        foreach (CollectedPart part in reply.Parts)
        {
            content.Add((JsonNode)(part.Call is { } call
                ? new JsonObject { ["type"] = "tool_use", ["id"] = ToolId(call.Id), ["name"] = call.Name, ["input"] = CollectedReply.Arguments(part.Text) }
                : new JsonObject { ["type"] = "text", ["text"] = part.Text }));
        }

        return content;
    }

    private static string ToolId(string id) => id.StartsWith("call_", StringComparison.Ordinal) ? "toolu_" + id[5..] : id;

    private static string Reason(ChatFinishReason reason, string? stopString) => reason switch
    {
        ChatFinishReason.Length => "max_tokens",
        ChatFinishReason.ToolCalls => "tool_use",
        ChatFinishReason.ContentFilter => "refusal",
        _ => stopString is null ? "end_turn" : "stop_sequence",
    };

    private static JsonObject Usage(GenerationUsage usage) => new()
    {
        ["input_tokens"] = usage.PromptTokens - usage.CachedTokens,
        ["output_tokens"] = usage.GeneratedTokens,
        ["cache_read_input_tokens"] = usage.CachedTokens,
        ["cache_creation_input_tokens"] = 0,
    };
}
