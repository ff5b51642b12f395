using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Puna.Runtime.Chat;
using Puna.Server.Http;
using Puna.Text.Chat;
using Puna.Text.Tools;

namespace Puna.Server.OpenAI;

/// <summary><c>/v1/responses</c>, without a store: nothing is kept between requests (spec serving.md 3.7).</summary>
internal sealed class ResponseEndpoint(ModelHost host)
{
    /// <summary>Adds the endpoint.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/responses", RespondAsync).WithName("createResponse");

    private async Task RespondAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string name = body.RequireString("model");
        ServedModel model = host.Find(name);
        host.CountUnknown(body, KnownFields.Response);
        foreach (string key in (string[])["previous_response_id", "conversation", "prompt"])
        {
            if (body.Has(key))
            {
                throw ApiException.Unsupported(key, $"{key}: expected none: nothing is kept between requests");
            }
        }

        if (body.Bool("background") == true)
        {
            throw ApiException.Unsupported("background", "background: expected false: nothing is kept between requests");
        }

        RefuseUnsupported(body);
        CheckMetadata(body);
        ChatRequest request = Read(http, body, model);
        bool stream = body.Bool("stream") ?? false;
        using ChatReply reply = await host.RequireChat().StartAsync(request, http.RequestAborted);
        using var recorded = host.Record(http, name, reply, request);
        var json = new ResponseJson(name, body, request);
        recorded.Answers(json.Number, stream);
        if (!stream)
        {
            CollectedReply whole = (await recorded.WatchAsync(CollectedReply.ReadAsync(reply, 1, http.RequestAborted)))[0];
            recorded.Ended(ChatCompletionJson.Reason(whole.Finish));
            await JsonBody.WriteAsync(http, json.Whole(whole, reply.Usage));
            return;
        }

        await using EventStream events = EventStream.Begin(http);
        try
        {
            foreach (JsonObject e in json.Begin())
            {
                await SendAsync(events, e);
            }

            await foreach (ChatEvent found in reply.ReadAsync(http.RequestAborted))
            {
                foreach (JsonObject e in json.Events(found))
                {
                    await SendAsync(events, e);
                }

                if (found is ChatEvent.Finished end)
                {
                    recorded.Ended(ChatCompletionJson.Reason(end.Reason));
                }
            }

            await SendAsync(events, json.End(reply.Usage));
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested)
        {
            ApiException error = ApiException.Of(e) ?? new ApiException(503, "unavailable_error", "draining", "the request was cancelled because the server is ending");
            recorded.Failed(e);
            await SendAsync(events, json.Failed(error));
        }
    }

    private static void RefuseUnsupported(RequestObject body)
    {
        if (body.Object("reasoning") is { } reasoning && reasoning.String("effort") is { } effort && effort != "none")
        {
            throw ApiException.Unsupported("reasoning.effort", $"reasoning.effort: expected none: this model does not think aloud, got {Tensors.PunaException.OneLine(effort)}");
        }

        if (body.String("truncation") is { } truncation && truncation != "disabled")
        {
            throw ApiException.Unsupported("truncation", $"truncation: expected disabled: nothing is cut silently, got {Tensors.PunaException.OneLine(truncation)}");
        }

        if (body.Object("text")?.String("verbosity") is { } verbosity && verbosity != "medium")
        {
            throw ApiException.Unsupported("text.verbosity", $"text.verbosity: expected medium, got {Tensors.PunaException.OneLine(verbosity)}");
        }

        if (body.Int("top_logprobs", 0, 20) is > 0 || body.Strings("include", 64).Contains("message.output_text.logprobs"))
        {
            throw ApiException.Unsupported("top_logprobs", "top_logprobs: expected none: /v1/chat/completions has log-probabilities");
        }
    }

    // They come back in the answer, whose shape they must not break.
    private static void CheckMetadata(RequestObject body)
    {
        if (body.Object("metadata") is not { } metadata)
        {
            return;
        }

        foreach (JsonProperty entry in metadata.Element.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String)
            {
                throw metadata.Wrong(entry.Name, "a string", entry.Value);
            }
        }
    }

    private static Task SendAsync(EventStream events, JsonObject e) => events.SendAsync(e, e["type"]!.GetValue<string>());

    private static ChatRequest Read(HttpContext http, RequestObject body, ServedModel model)
    {
        var messages = new List<ChatMessage>();
        if (body.String("instructions") is { Length: > 0 } instructions)
        {
            messages.Add(new ChatMessage(ChatRole.System, instructions));
        }

        JsonElement input = body.Find("input") ?? throw body.Missing("input");
        if (input.ValueKind == JsonValueKind.String)
        {
            messages.Add(new ChatMessage(ChatRole.User, body.String("input")!));
        }
        else
        {
            var names = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (RequestObject item in body.Objects("input", ChatMessages.Most)!)
            {
                Add(item, messages, names, model);
            }
        }

        if (messages.Count == 0)
        {
            throw ApiException.Bad("input", "input: expected at least one message, got none");
        }

        return ToolFields.Choose(body, new ChatRequest
        {
            Messages = messages,
            Tools = ToolFields.Tools(body),
            Format = ToolFields.Extended(body, ToolFields.Format(body.Object("text")?.Object("format"))),
            MaxTokens = body.Int("max_output_tokens", 1),
            Sampling = SamplingFields.Read(body, model.Tokenizer.VocabularySize, null),
            Adapter = model.AdapterOf(body.String("model")),
            Key = http.Owner(),
            CacheSalt = http.Salt(body),
        });
    }

    private static void Add(RequestObject item, List<ChatMessage> messages, Dictionary<string, string> names, ServedModel model)
    {
        switch (item.String("type") ?? "message")
        {
            case "message":
                string role = item.RequireString("role");
                messages.Add(role == "user" ? ChatMessages.User(item, model) : new ChatMessage(
                    role switch
                    {
                        "system" or "developer" => ChatRole.System,
                        "assistant" => ChatRole.Assistant,
                        _ => throw ApiException.Bad(item.At("role"), $"{item.At("role")}: expected system, developer, user or assistant, got {Tensors.PunaException.OneLine(role)}"),
                    },
                    item.Has("content") ? ChatMessages.Content(item) : throw item.Missing("content")));
                break;
            case "function_call":
                string id = item.RequireString("call_id"), name = item.RequireString("name");
                names[id] = name;
                messages.Add(new ChatMessage(ChatRole.Assistant, "") { ToolCalls = [new ToolCall(name, ChatMessages.Arguments(item)) { Id = id }] });
                break;
            case "function_call_output":
                string answered = item.RequireString("call_id");
                messages.Add(new ChatMessage(ChatRole.Tool, ChatMessages.Content(item, "output"))
                {
                    ToolCallId = answered,
                    ToolName = names.TryGetValue(answered, out string? tool) ? tool
                        : throw ApiException.Bad(item.At("call_id"), $"{item.At("call_id")}: expected the id of an earlier call, got {Tensors.PunaException.OneLine(answered)}"),
                });
                break;
            case "reasoning":
                break;
            case string other:
                throw ApiException.Unsupported(item.At("type"), $"{item.At("type")}: expected message, function_call or function_call_output, got {Tensors.PunaException.OneLine(other)}");
        }
    }
}
