using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Puna.Runtime.Constraints;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Server.Http;
using Puna.Text;

namespace Puna.Server.OpenAI;

/// <summary><c>/v1/completions</c>: plain texts continued, without a chat format (spec serving.md 3.4).</summary>
internal sealed class CompletionEndpoint(ModelHost host)
{
    private const int MostPrompts = 64;
    private const int MostChoices = 8;
    private const int MostLogProbs = 5;
    private const int StandardTokens = 16;

    /// <summary>Adds the endpoint.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/completions", CompleteAsync).WithName("createCompletion");

    private async Task CompleteAsync(HttpContext http)
    {
        using JsonDocument document = await JsonBody.ReadAsync(http);
        var body = new RequestObject(document.RootElement);
        string name = body.RequireString("model");
        ServedModel model = host.Find(name);
        host.CountUnknown(body, KnownFields.Completion);
        IReadOnlyList<int[]> prompts = PromptFields.Read(body, "prompt", model.Tokenizer, MostPrompts);
        int choices = body.Int("n", 1, MostChoices) ?? 1;
        int? logProbs = body.Int("logprobs", 0, MostLogProbs);
        bool echo = body.Bool("echo") ?? false, stream = body.Bool("stream") ?? false;
        if (body.Int("best_of", 1) is int best && best != choices)
        {
            throw ApiException.Unsupported("best_of", $"best_of: expected n, {choices}, got {best}");
        }

        if (body.String("suffix") is { Length: > 0 })
        {
            throw ApiException.Unsupported("suffix", "suffix: expected none: this model does not fill in");
        }

        int? scored = echo ? logProbs : null;
        ITokenConstraint? constraint = model.Constraints.Of(ToolFields.Extended(body, ToolFields.Format(body.Object("response_format"))), http.RequestAborted);
        int asked = body.Int("max_tokens", 0) ?? StandardTokens;
        GenerationRequest[] requests = [.. prompts.Select(prompt => new GenerationRequest
        {
            Prompt = prompt,
            MaxTokens = scored is null ? Math.Max(1, asked) : asked,
            PromptLogProbs = scored,
            MinTokens = body.Int("min_tokens", 0) ?? 0,
            Sampling = SamplingFields.Read(body, model.Tokenizer.VocabularySize, logProbs),
            Choices = choices,
            StopStrings = body.Strings("stop", 16),
            IgnoreStopIds = body.Bool("ignore_eos") ?? false,
            Constraint = constraint,
            Adapter = model.AdapterOf(name),
            Key = http.Owner(),
            CacheSalt = http.Salt(body),
        })];
        bool hasUsage = body.Object("stream_options")?.Bool("include_usage") ?? false;
        var json = new CompletionJson(name, host.Fingerprint, model.Tokenizer, logProbs is not null, stream && hasUsage);
        if (asked == 0 && scored is null)
        {
            // Nothing is computed: the prompts come back, where they were asked for.
            var empty = requests.SelectMany(r => Enumerable.Range(0, choices).Select(_ => new CompletionText(model.Tokenizer, echo ? r.Prompt : null, "length"))).ToList();
            int read = prompts.Sum(static p => p.Length);
            if (!stream)
            {
                await JsonBody.WriteAsync(http, json.Whole(empty, read, 0, 0));
                return;
            }

            await using EventStream events = EventStream.Begin(http);
            for (int i = 0; i < empty.Count; i++)
            {
                await events.SendAsync(json.Chunk(i, empty[i]));
            }

            if (hasUsage)
            {
                await events.SendAsync(json.UsageChunk(read, 0, 0));
            }

            await events.SendDoneAsync();
            return;
        }

        var handles = new List<GenerationHandle>();
        try
        {
            foreach (GenerationRequest request in requests)
            {
                handles.Add(model.Engine.Submit(request, http.RequestAborted));
            }

            await AnswerAsync(http, name, model, requests, handles, json, choices, echo, stream, hasUsage);
        }
        finally
        {
            for (int i = 0; i < handles.Count; i++)
            {
                handles[i].Dispose();
            }
        }
    }

    private async Task AnswerAsync(
        HttpContext http, string name, ServedModel model, GenerationRequest[] requests, List<GenerationHandle> handles, CompletionJson json, int choices, bool echo, bool stream, bool hasUsage)
    {
        CompletionText[] texts = [.. requests.SelectMany((r, i) => Enumerable.Range(0, choices).Select(_ => new CompletionText(model.Tokenizer, echo ? r.Prompt : null, scored: r.PromptLogProbs is null ? null : handles[i])))];
        Operations.RequestRecord[] records = [.. handles.Select((h, i) => host.Record(http, name, h, requests[i]))];
        foreach (Operations.RequestRecord record in records)
        {
            record.Answers(json.Id, stream);
        }

        try
        {
            if (!stream)
            {
                for (int i = 0; i < handles.Count; i++)
                {
                    await foreach (TokenEvent token in handles[i].Events.ReadAllAsync(http.RequestAborted))
                    {
                        texts[(i * choices) + token.Choice].Add(token);
                    }

                    for (int c = 0; c < choices; c++)
                    {
                        records[i].Ended(texts[(i * choices) + c].Finish ?? "stop");
                    }
                }

                await JsonBody.WriteAsync(http, json.Whole(texts, handles.Sum(static h => h.Usage.PromptTokens), handles.Sum(static h => h.Usage.GeneratedTokens), handles.Sum(static h => h.Usage.CachedTokens)));
                return;
            }

            await using EventStream events = EventStream.Begin(http);
            try
            {
                await foreach ((int request, TokenEvent token) in Merge(handles, http.RequestAborted))
                {
                    int index = (request * choices) + token.Choice;
                    CompletionText piece = texts[index].Piece(token);
                    if (piece.Text.Length > 0 || piece.Finish is not null || json.HasLogProbs)
                    {
                        await events.SendAsync(json.Chunk(index, piece));
                    }

                    if (piece.Finish is { } reason)
                    {
                        records[request].Ended(reason);
                    }
                }

                if (hasUsage)
                {
                    await events.SendAsync(json.UsageChunk(handles.Sum(static h => h.Usage.PromptTokens), handles.Sum(static h => h.Usage.GeneratedTokens), handles.Sum(static h => h.Usage.CachedTokens)));
                }

                await events.SendDoneAsync();
            }
            catch (Exception e) when (!http.RequestAborted.IsCancellationRequested)
            {
                ApiException error = ApiException.Of(e) ?? new ApiException(503, "unavailable_error", "draining", "the request was cancelled because the server is ending");
                foreach (Operations.RequestRecord record in records)
                {
                    record.Failed(e);
                }

                await events.SendAsync(Dialects.Body(Dialect.OpenAI, error, ""));
            }
        }
        catch (Exception e)
        {
            foreach (Operations.RequestRecord record in records)
            {
                record.Failed(e);
            }

            throw;
        }
        finally
        {
            foreach (Operations.RequestRecord record in records)
            {
                record.Dispose();
            }
        }
    }

    /// <summary>The tokens of several requests as they come.</summary>
    private static async IAsyncEnumerable<(int Request, TokenEvent Token)> Merge(List<GenerationHandle> handles, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var all = Channel.CreateUnbounded<(int, TokenEvent)>();
        Task[] readers = [.. handles.Select(async (handle, i) =>
        {
            await foreach (TokenEvent token in handle.Events.ReadAllAsync(cancel))
            {
                all.Writer.TryWrite((i, token));
            }
        })];
        Task whole = Task.WhenAll(readers).ContinueWith(t => all.Writer.TryComplete(t.Exception?.InnerException ?? (t.IsCanceled ? new OperationCanceledException() : null)), TaskScheduler.Default);
        await foreach ((int, TokenEvent) item in all.Reader.ReadAllAsync(cancel))
        {
            yield return item;
        }

        await whole;
    }
}
