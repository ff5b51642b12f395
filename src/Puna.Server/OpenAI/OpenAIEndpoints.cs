using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Puna.Runtime.Chat;
using Puna.Server.Http;

namespace Puna.Server.OpenAI;

/// <summary>OpenAI's API: models and chat completions here, the others in files of their own.</summary>
internal sealed class OpenAIEndpoints(ModelHost host)
{
    private const int MostChoices = 8;
    private const int MostStops = 16;
    private const int MostTopLogProbs = 20;

    /// <summary>Adds the endpoints.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", http => JsonBody.WriteAsync(http, new JsonObject { ["object"] = "list", ["data"] = new JsonArray([.. host.Names.Select(Model)]) })).WithName("listModels");
        routes.MapGet("/v1/models/{**id}", http =>
        {
            string id = http.Request.RouteValues["id"] as string ?? "";
            return JsonBody.WriteAsync(http, Model(host.Find(id).Answers(id) ? id : host.Model.Name));
        }).WithName("retrieveModel");
        routes.MapPost("/v1/chat/completions", ChatAsync).WithName("createChatCompletion");
        new CompletionEndpoint(host).Map(routes);
        new EmbeddingEndpoint(host).Map(routes);
        new ResponseEndpoint(host).Map(routes);
    }

    /// <summary>Reads what chat completions ask for.</summary>
    internal static ChatRequest Read(HttpContext http, RequestObject body, ServedModel model)
    {
        RefuseUnsupported(body);
        bool hasLogProbs = body.Bool("logprobs") ?? false;
        int? top = body.Int("top_logprobs", 0, MostTopLogProbs);
        if (top is not null && !hasLogProbs)
        {
            throw ApiException.Bad("top_logprobs", "top_logprobs: expected logprobs with it, got none");
        }

        IReadOnlyList<ToolDefinition> tools = ToolFields.Tools(body);
        return ToolFields.Choose(body, new ChatRequest
        {
            Messages = ChatMessages.Read(body, model),
            Tools = tools,
            Format = ToolFields.Extended(body, ToolFields.Format(body.Object("response_format"))),
            MaxTokens = body.Int("max_completion_tokens", 1) ?? body.Int("max_tokens", 1),
            MinTokens = body.Int("min_tokens", 0) ?? 0,
            Sampling = SamplingFields.Read(body, model.Tokenizer.VocabularySize, hasLogProbs ? top ?? 0 : null),
            Choices = body.Int("n", 1, MostChoices) ?? 1,
            StopStrings = body.Strings("stop", MostStops),
            IgnoreStopIds = body.Bool("ignore_eos") ?? false,
            Adapter = model.AdapterOf(body.String("model")),
            Key = http.Owner(),
            CacheSalt = http.Salt(body),
            TemplateVariables = body.Object("chat_template_kwargs")?.Element.GetRawText(),
        });
    }

    private static void RefuseUnsupported(RequestObject body)
    {
        Neutral("reasoning_effort", "none");
        Neutral("verbosity", "medium");
        foreach (string key in (string[])["prediction", "audio", "web_search_options"])
        {
            if (body.Has(key))
            {
                throw ApiException.Unsupported(key, $"{key}: expected none, got one");
            }
        }

        if (body.Strings("modalities", 8).Any(static m => m != "text"))
        {
            throw ApiException.Unsupported("modalities", "modalities: expected text alone");
        }

        void Neutral(string key, string value)
        {
            if (body.String(key) is { } given && given != value)
            {
                throw ApiException.Unsupported(key, $"{key}: expected {value}, got {Tensors.PunaException.OneLine(given)}");
            }
        }
    }

    private async Task ChatAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string name = body.RequireString("model");
        ServedModel model = host.Find(name);
        host.CountUnknown(body, KnownFields.Chat);
        ChatRequest request = Read(http, body, model);
        bool stream = body.Bool("stream") ?? false;
        bool hasUsage = body.Object("stream_options")?.Bool("include_usage") ?? false;
        if (!stream && body.Has("stream_options"))
        {
            throw ApiException.Bad("stream_options", "stream_options: expected stream with it, got none");
        }

        using ChatReply reply = await host.RequireChat().StartAsync(request, http.RequestAborted);
        var json = new ChatCompletionJson(name, host.Fingerprint, model.Tokenizer, request.Sampling.LogProbs is not null, stream && hasUsage);
        using var recorded = host.Record(http, name, reply, request);
        recorded.Answers(json.Id, stream);
        if (!stream)
        {
            CollectedReply[] replies = await recorded.WatchAsync(CollectedReply.ReadAsync(reply, request.Choices, http.RequestAborted));
            foreach (CollectedReply one in replies)
            {
                recorded.Ended(ChatCompletionJson.Reason(one.Finish));
            }

            await JsonBody.WriteAsync(http, json.Whole(replies, reply.Usage));
            return;
        }

        await using EventStream events = EventStream.Begin(http);
        try
        {
            await foreach (ChatEvent found in reply.ReadAsync(http.RequestAborted))
            {
                foreach (JsonObject chunk in json.Chunks(found))
                {
                    await events.SendAsync(chunk);
                }

                if (found is ChatEvent.Finished end)
                {
                    recorded.Ended(ChatCompletionJson.Reason(end.Reason));
                }
            }

            if (hasUsage)
            {
                await events.SendAsync(json.UsageChunk(reply.Usage));
            }

            await events.SendDoneAsync();
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested)
        {
            // The status is sent already: the error is an event, and the end is missing (spec serving.md 4.3).
            ApiException error = ApiException.Of(e) ?? new ApiException(503, "unavailable_error", "draining", "the request was cancelled because the server is ending");
            recorded.Failed(e);
            await events.SendAsync(Dialects.Body(Dialect.OpenAI, error, ""));
        }
    }

    private JsonObject Model(string name) => new()
    {
        ["id"] = name,
        ["object"] = "model",
        ["created"] = host.Model.Created.ToUnixTimeSeconds(),
        ["owned_by"] = "puna",
        ["root"] = host.Model.AdapterOf(name) is null ? host.Model.Name : name,
        ["parent"] = host.Model.AdapterOf(name) is null ? null : host.Model.Name,
        ["max_model_len"] = host.Model.Engine.ContextLength,
        ["architecture"] = host.Model.Engine.Model.Llama.Config.Name,
        ["embedding_pooling"] = "mean",
        ["input_modalities"] = host.Model.Chat?.SeesImages == true ? new JsonArray("text", "image") : new JsonArray("text"),
    };
}
