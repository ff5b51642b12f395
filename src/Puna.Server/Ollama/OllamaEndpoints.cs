using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Puna.Models;
using Puna.Runtime.Chat;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Server.Http;
using Puna.Server.OpenAI;
using Puna.Text.Chat;
using Puna.Text.Tools;

namespace Puna.Server.Ollama;

/// <summary>The endpoints of Ollama that its clients use most (spec serving.md 5): lines of JSON, and streams unless a request says otherwise.</summary>
internal sealed class OllamaEndpoints(ModelHost host)
{
    private const int MostInputs = 2048;
    private const int MostTopLogProbs = 20;

    /// <summary>The version of Ollama whose endpoints these are, not this program's: clients ask for it to see what they may use (Visual Studio Code wants at least 0.6.4). Log-probabilities came with 0.12.11.</summary>
    private const string Version = "0.12.11";

    /// <summary>Adds the endpoints.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/api/version", ["GET", "HEAD"], static http => JsonBody.WriteAsync(http, new JsonObject { ["version"] = Version })).WithName("ollamaVersion");
        routes.MapGet("/api/tags", http => JsonBody.WriteAsync(http, new JsonObject { ["models"] = new JsonArray([.. host.Names.Select(n => Listed(n, "modified_at", host.Model.Created))]) })).WithName("ollamaTags");
        routes.MapGet("/api/ps", http =>
        {
            JsonObject running = Listed(host.Model.Name, "expires_at", DateTimeOffset.MaxValue);
            running["size_vram"] = 0;
            running["context_length"] = host.Model.Engine.ContextLength;
            return JsonBody.WriteAsync(http, new JsonObject { ["models"] = new JsonArray(running) });
        }).WithName("ollamaPs");
        routes.MapPost("/api/show", ShowAsync).WithName("ollamaShow");
        routes.MapPost("/api/chat", ChatAsync).WithName("ollamaChat");
        routes.MapPost("/api/generate", GenerateAsync).WithName("ollamaGenerate");
        routes.MapPost("/api/embed", EmbedAsync).WithName("ollamaEmbed");
    }

    private JsonObject Listed(string name, string dateKey, DateTimeOffset date) => new()
    {
        ["name"] = name, ["model"] = name, [dateKey] = Date(date), ["size"] = host.Model.Bytes, ["digest"] = host.Fingerprint[3..].PadRight(64, '0'), ["details"] = Details(name),
    };

    private JsonObject Details(string name)
    {
        LlamaConfig config = host.Model.Engine.Model.Llama.Config;
        return new JsonObject
        {
            ["parent_model"] = host.Model.AdapterOf(name) is null ? "" : host.Model.Name, ["format"] = host.Model.Engine.Model.Checkpoint.Format.ToString().ToLowerInvariant(), ["family"] = "llama", ["families"] = new JsonArray("llama"),
            ["parameter_size"] = Size(config.ParameterCount), ["quantization_level"] = host.Model.Engine.Model.Llama.Blocks[0].Attention.Wq.Weight.DType.ToString().ToUpperInvariant(),
        };
    }

    private async Task ShowAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string name = body.String("model") ?? body.RequireString("name");
        ServedModel model = host.Find(name);
        LlamaConfig config = model.Engine.Model.Llama.Config;
        await JsonBody.WriteAsync(http, new JsonObject
        {
            ["modelfile"] = $"FROM {model.Name}",
            ["parameters"] = "",
            ["template"] = model.Chat?.Format.Name ?? "",
            ["details"] = Details(name),
            ["model_info"] = new JsonObject
            {
                ["general.architecture"] = "llama", ["general.parameter_count"] = config.ParameterCount, ["llama.block_count"] = config.Layers, ["llama.context_length"] = config.ContextLength,
                ["llama.embedding_length"] = config.Hidden, ["llama.attention.head_count"] = config.Heads, ["llama.attention.head_count_kv"] = config.KvHeads, ["llama.vocab_size"] = config.Vocab,
            },
            ["modified_at"] = Date(model.Created),
            ["capabilities"] = model.Chat is null ? new JsonArray("completion", "embedding")
                : model.Chat.SeesImages ? new JsonArray("completion", "tools", "vision", "embedding") : new JsonArray("completion", "tools", "embedding"),
        });
    }

    private async Task ChatAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string name = body.RequireString("model");
        ServedModel model = host.Find(name);
        host.CountUnknown(body, KnownFields.OllamaChat);
        IReadOnlyList<RequestObject> items = body.Objects("messages", ChatMessages.Most) ?? [];
        if (items.Count == 0)
        {
            // Clients load and unload models this way; this one is always there.
            await JsonBody.WriteAsync(http, new JsonObject { ["model"] = name, ["created_at"] = Date(DateTimeOffset.UtcNow), ["message"] = Message("", null), ["done"] = true, ["done_reason"] = "load" });
            return;
        }

        ChatRequest request = WithOptions(http, body, model, new ChatRequest
        {
            Messages = [.. items.Select(item => Message(item, model))],
            Tools = ToolFields.Tools(body),
            Format = Format(body),
        });
        bool stream = body.Bool("stream") ?? true;
        long started = TimeProvider.System.GetTimestamp();
        using ChatReply reply = await host.RequireChat().StartAsync(request, http.RequestAborted);
        using var recorded = host.Record(http, name, reply, request);
        recorded.Answers(null, stream);
        if (!stream)
        {
            CollectedReply whole = (await recorded.WatchAsync(CollectedReply.ReadAsync(reply, 1, http.RequestAborted)))[0];
            recorded.Ended(ChatCompletionJson.Reason(whole.Finish));
            JsonObject answer = WithLogProbs(Line(name, Message(whole.Text, whole.Calls), done: true), whole.LogProbs, model);
            End(answer, whole.Finish, reply.Usage, started);
            await JsonBody.WriteAsync(http, answer);
            return;
        }

        await using EventStream lines = EventStream.Begin(http, isLines: true);
        try
        {
            var collected = new CollectedReply();
            await foreach (ChatEvent found in reply.ReadAsync(http.RequestAborted))
            {
                collected.Add(found);
                switch (found)
                {
                    case ChatEvent.TextDelta delta when delta.Text.Length > 0 || delta.LogProbs.Count > 0:
                        await lines.SendAsync(WithLogProbs(Line(name, Message(delta.Text, null), done: false), delta.LogProbs, model));
                        break;
                    case ChatEvent.Finished end:
                        recorded.Ended(ChatCompletionJson.Reason(end.Reason));
                        if (collected.Calls.Count > 0)
                        {
                            // Calls come whole here: their arguments are objects, not text.
                            await lines.SendAsync(Line(name, Message("", collected.Calls), done: false));
                        }

                        JsonObject last = Line(name, Message("", null), done: true);
                        End(last, end.Reason, reply.Usage, started);
                        await lines.SendAsync(last);
                        break;
                }
            }
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested)
        {
            recorded.Failed(e);
            await lines.SendAsync(new JsonObject { ["error"] = ApiException.Of(e)?.Message ?? "the server is ending" });
        }
    }

    private async Task GenerateAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string name = body.RequireString("model");
        ServedModel model = host.Find(name);
        host.CountUnknown(body, KnownFields.OllamaGenerate);
        foreach (string key in (string[])["suffix", "template"])
        {
            if (body.String(key) is { Length: > 0 })
            {
                throw ApiException.Unsupported(key, $"{key}: expected none, got one");
            }
        }

        if (body.Array("context") is { Count: > 0 })
        {
            throw ApiException.Unsupported("context", "context: expected none: nothing is kept between requests");
        }

        IReadOnlyList<ChatImage> images = ImageFields.OfList(body, model);
        string prompt = body.String("prompt") ?? "";
        if (prompt.Length == 0)
        {
            await JsonBody.WriteAsync(http, new JsonObject { ["model"] = name, ["created_at"] = Date(DateTimeOffset.UtcNow), ["response"] = "", ["done"] = true, ["done_reason"] = "load" });
            return;
        }

        bool isRaw = (body.Bool("raw") ?? false) || model.Chat is null;
        if (isRaw && images.Count > 0)
        {
            throw ApiException.Unsupported("images", "images: expected none with raw, since nothing says where they stand");
        }

        long started = TimeProvider.System.GetTimestamp();
        bool stream = body.Bool("stream") ?? true;
        if (isRaw)
        {
            await ContinueAsync(http, body, model, name, prompt, stream, started);
            return;
        }

        List<ChatMessage> messages = body.String("system") is { Length: > 0 } system ? [new ChatMessage(ChatRole.System, system)] : [];
        ChatRequest request = WithOptions(http, body, model, new ChatRequest { Messages = [.. messages, new ChatMessage(ChatRole.User, prompt) { Images = images }], Format = Format(body) });
        using ChatReply reply = await host.RequireChat().StartAsync(request, http.RequestAborted);
        using var recorded = host.Record(http, name, reply, request);
        recorded.Answers(null, stream);
        await using EventStream? lines = stream ? EventStream.Begin(http, isLines: true) : null;
        var collected = new CollectedReply();
        try
        {
            await foreach (ChatEvent found in reply.ReadAsync(http.RequestAborted))
            {
                collected.Add(found);
                if (lines is not null && found is ChatEvent.TextDelta delta && (delta.Text.Length > 0 || delta.LogProbs.Count > 0))
                {
                    await lines.SendAsync(WithLogProbs(Response(name, delta.Text, done: false), delta.LogProbs, model));
                }
            }

            recorded.Ended(ChatCompletionJson.Reason(collected.Finish));
            JsonObject last = lines is null ? WithLogProbs(Response(name, collected.Text, done: true), collected.LogProbs, model) : Response(name, "", done: true);
            End(last, collected.Finish, reply.Usage, started);
            await (lines?.SendAsync(last) ?? JsonBody.WriteAsync(http, last));
        }
        catch (Exception e)
        {
            recorded.Failed(e);
            if (lines is null || http.RequestAborted.IsCancellationRequested)
            {
                throw;
            }

            await lines.SendAsync(new JsonObject { ["error"] = ApiException.Of(e)?.Message ?? "the server is ending" });
        }
    }

    private async Task ContinueAsync(HttpContext http, RequestObject body, ServedModel model, string name, string prompt, bool stream, long started)
    {
        ChatRequest options = WithOptions(http, body, model, new ChatRequest { Messages = [] });
        var request = new GenerationRequest
        {
            Prompt = model.Tokenizer.EncodePrompt(prompt), MaxTokens = options.MaxTokens, Sampling = options.Sampling, StopStrings = options.StopStrings, Adapter = options.Adapter, Key = options.Key, CacheSalt = options.CacheSalt,
            Constraint = model.Constraints.Of(Format(body), http.RequestAborted),
        };
        using GenerationHandle handle = model.Engine.Submit(request, http.RequestAborted);
        using var recorded = host.Record(http, name, handle, request);
        recorded.Answers(null, stream);
        await using EventStream? lines = stream ? EventStream.Begin(http, isLines: true) : null;
        var text = new System.Text.StringBuilder();
        var logProbs = new List<TokenLogProbs>();
        FinishReason? finish = null;
        try
        {
            await foreach (TokenEvent token in handle.Events.ReadAllAsync(http.RequestAborted))
            {
                text.Append(token.Text);
                finish = token.Finish ?? finish;
                TokenLogProbs[] said = token.LogProbs is { } own ? [own] : [];
                logProbs.AddRange(said);
                if (lines is not null && (token.Text.Length > 0 || said.Length > 0))
                {
                    await lines.SendAsync(WithLogProbs(Response(name, token.Text, done: false), said, model));
                }
            }

            ChatFinishReason reason = finish == FinishReason.Stop ? ChatFinishReason.Stop : ChatFinishReason.Length;
            recorded.Ended(ChatCompletionJson.Reason(reason));
            JsonObject last = lines is null ? WithLogProbs(Response(name, text.ToString(), done: true), logProbs, model) : Response(name, "", done: true);
            End(last, reason, handle.Usage, started);
            await (lines?.SendAsync(last) ?? JsonBody.WriteAsync(http, last));
        }
        catch (Exception e)
        {
            recorded.Failed(e);
            if (lines is null || http.RequestAborted.IsCancellationRequested)
            {
                throw;
            }

            await lines.SendAsync(new JsonObject { ["error"] = ApiException.Of(e)?.Message ?? "the server is ending" });
        }
    }

    private async Task EmbedAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string name = body.RequireString("model");
        ServedModel model = host.Find(name);
        host.CountUnknown(body, KnownFields.OllamaEmbed);
        long started = TimeProvider.System.GetTimestamp();
        bool truncate = body.Bool("truncate") ?? true;
        int? dimensions = body.Int("dimensions", 1, model.Engine.Model.Llama.Config.Hidden);
        IReadOnlyList<int[]> prompts = body.Has("input") ? PromptFields.Read(body, "input", model.Tokenizer, MostInputs) : [];
        prompts = [.. prompts.Select(p => truncate && p.Length > model.Engine.ContextLength ? p[..model.Engine.ContextLength] : p)];
        float[][] vectors = await host.EmbedAsync(http, name, prompts);
        await JsonBody.WriteAsync(http, new JsonObject
        {
            ["model"] = name,
            ["embeddings"] = new JsonArray([.. vectors.Select(v => new JsonArray([.. EmbeddingEndpoint.Shorten(v, dimensions).Select(static x => (JsonNode)x)]))]),
            ["total_duration"] = Nanoseconds(TimeProvider.System.GetElapsedTime(started)),
            ["load_duration"] = 0,
            ["prompt_eval_count"] = prompts.Sum(static p => p.Length),
        });
    }

    private static ChatRequest WithOptions(HttpContext http, RequestObject body, ServedModel model, ChatRequest request)
    {
        RequestObject options = body.Object("options") ?? default;
        bool has = body.Has("options");
        if (body.Find("think") is { ValueKind: not JsonValueKind.False })
        {
            throw ApiException.Unsupported("think", "think: expected false: this model does not think aloud");
        }

        if (has && options.Int("num_ctx", 1) is int context && context > model.Engine.ContextLength)
        {
            throw ApiException.Bad("options.num_ctx", $"options.num_ctx: expected at most {model.Engine.ContextLength}, got {context}");
        }

        if (has && options.Int("mirostat", 0, 2) is > 0)
        {
            throw ApiException.Unsupported("options.mirostat", "options.mirostat: expected 0: texts are not sampled that way here");
        }

        // Ollama takes all but positive numbers as no limit, 0 too.
        int? most = has ? options.Int("num_predict", -2) : null;
        request = request with
        {
            MaxTokens = most is > 0 ? most : null,
            StopStrings = has ? options.Strings("stop", 16) : [],
            Adapter = model.AdapterOf(body.String("model")),
            Key = http.Owner(),
            CacheSalt = http.Salt(body),
            Sampling = !has ? new SamplingOptions { Temperature = 0.8, TopK = 40, TopP = 0.9 } : new SamplingOptions
            {
                // The standards are Ollama's.
                Temperature = options.Number("temperature", 0, 100) ?? 0.8,
                TopK = options.Int("top_k", 0) ?? 40,
                TopP = options.Number("top_p", 0, 1) ?? 0.9,
                MinP = options.Number("min_p", 0, 1) ?? 0,
                TypicalP = options.Number("typical_p", 0.001, 1) ?? 1,
                Seed = options.Long("seed"),
                RepetitionPenalty = options.Number("repeat_penalty", 0.01, 100) ?? 1,
                PresencePenalty = options.Number("presence_penalty", -100, 100) ?? 0,
                FrequencyPenalty = options.Number("frequency_penalty", -100, 100) ?? 0,
            },
        };
        request = has ? request with { Sampling = Penalized(options, request.Sampling) } : request;
        int? top = body.Int("top_logprobs", 0, MostTopLogProbs);
        return body.Bool("logprobs") ?? false ? request with { Sampling = request.Sampling with { LogProbs = top ?? 0 } }
            : top is null or 0 ? request
            : throw ApiException.Bad("top_logprobs", "top_logprobs: expected logprobs with it, got none");
    }

    // Penalties count the whole text here, which is Ollama's -1.
    private static SamplingOptions Penalized(RequestObject options, SamplingOptions sampling) => options.Int("repeat_last_n", -1) switch
    {
        null or -1 => sampling,
        0 => sampling with { RepetitionPenalty = 1, PresencePenalty = 0, FrequencyPenalty = 0 },
        _ when sampling is { RepetitionPenalty: 1, PresencePenalty: 0, FrequencyPenalty: 0 } => sampling,
        int last => throw ApiException.Unsupported("options.repeat_last_n", $"options.repeat_last_n: expected -1 or 0 with penalties, which count the whole text or nothing, got {last}"),
    };

    private static ReplyFormat Format(RequestObject body) => body.Find("format") switch
    {
        null => ReplyFormat.Text,
        { ValueKind: JsonValueKind.String } text when text.GetString() == "json" => ReplyFormat.JsonObject,
        { ValueKind: JsonValueKind.String } text when text.GetString() == "" => ReplyFormat.Text,
        { ValueKind: JsonValueKind.Object } schema => new ReplyFormat(ReplyFormatKind.JsonSchema, schema.GetRawText()),
        { } other => throw body.Wrong("format", "json or a schema", other),
    };

    private static ChatMessage Message(RequestObject message, ServedModel model)
    {
        string content = message.String("content") ?? "", role = message.RequireString("role");
        IReadOnlyList<ChatImage> images = ImageFields.OfList(message, model);
        if (images.Count > 0 && role != "user")
        {
            throw ApiException.Unsupported(message.At("images"), $"{message.At("images")}: expected none but in a user's message, got some");
        }

        return role switch
        {
            "system" => new ChatMessage(ChatRole.System, content),
            "user" => new ChatMessage(ChatRole.User, content) { Images = images },
            "tool" => new ChatMessage(ChatRole.Tool, content) { ToolName = message.String("tool_name") ?? message.String("name") },
            "assistant" => new ChatMessage(ChatRole.Assistant, content)
            {
                ToolCalls = message.Objects("tool_calls") is not { Count: > 0 } calls ? null : [.. calls.Select(static call =>
                {
                    RequestObject function = call.Object("function") ?? throw call.Missing("function");
                    return new ToolCall(function.RequireString("name"), function.Object("arguments")?.Element.GetRawText() ?? "{}");
                })],
            },
            _ => throw ApiException.Bad(message.At("role"), $"{message.At("role")}: expected system, user, assistant or tool, got {Tensors.PunaException.OneLine(role)}"),
        };
    }

    private static JsonObject Message(string content, IReadOnlyList<(string Id, string Name, string Arguments)>? calls)
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = content };
        if (calls is { Count: > 0 })
        {
            message["tool_calls"] = new JsonArray([.. calls.Select(static call => new JsonObject
            {
                ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = CollectedReply.Arguments(call.Arguments) },
            })]);
        }

        return message;
    }

    private static JsonObject Response(string model, string text, bool done) => new() { ["model"] = model, ["created_at"] = Date(DateTimeOffset.UtcNow), ["response"] = text, ["done"] = done };

    private static JsonObject WithLogProbs(JsonObject line, IReadOnlyList<TokenLogProbs> tokens, ServedModel model)
    {
        if (tokens.Count > 0)
        {
            line["logprobs"] = new JsonArray([.. tokens.Select(token => LogProbsJson.Chat(token, model.Tokenizer))]);
        }

        return line;
    }

    private static JsonObject Line(string model, JsonObject message, bool done) => new() { ["model"] = model, ["created_at"] = Date(DateTimeOffset.UtcNow), ["message"] = message, ["done"] = done };

    private static void End(JsonObject answer, ChatFinishReason reason, GenerationUsage usage, long started)
    {
        answer["done_reason"] = reason == ChatFinishReason.Length ? "length" : "stop";
        answer["total_duration"] = Nanoseconds(TimeProvider.System.GetElapsedTime(started));
        answer["load_duration"] = 0;
        answer["prompt_eval_count"] = usage.PromptTokens;
        answer["prompt_eval_duration"] = Nanoseconds(usage.Prefill);
        answer["eval_count"] = usage.GeneratedTokens;
        answer["eval_duration"] = Nanoseconds(usage.Decode);
    }

    private static long Nanoseconds(TimeSpan time) => time.Ticks * 100;

    private static string Date(DateTimeOffset date) => date.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffffK", CultureInfo.InvariantCulture);

    private static string Size(long parameters) => parameters >= 1_000_000_000
        ? (parameters / 1e9).ToString("0.#", CultureInfo.InvariantCulture) + "B"
        : (parameters / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + "M";
}
