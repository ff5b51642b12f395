using System.Diagnostics;
using Puna.Runtime.Chat;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Server.Http;

namespace Puna.Server.Operations;

/// <summary>One operation of a model as traces and metrics tell of it. Its parts (queue, prefill, decode) are spans below it, laid out from its beginning by the times of the engine.</summary>
internal sealed class TelemetrySpan
{
    private readonly ServerTelemetry _telemetry;
    private readonly Activity? _activity;
    private readonly string _operation, _model, _served;
    private CollectedReply[]? _replies;
    private readonly long _started = Stopwatch.GetTimestamp();

    internal TelemetrySpan(ServerTelemetry telemetry, Activity? activity, string operation, string model, string served) =>
        (_telemetry, _activity, _operation, _model, _served) = (telemetry, activity, operation, model, served);

    /// <summary>Says what was asked for.</summary>
    public void Asked(SamplingOptions sampling, int? maxTokens, int choices, IReadOnlyList<string> stops, bool isJson)
    {
        if (_activity is not { IsAllDataRequested: true } span)
        {
            return;
        }

        span.SetTag("gen_ai.output.type", isJson ? "json" : "text").SetTag("gen_ai.request.temperature", sampling.Temperature).SetTag("gen_ai.request.top_p", sampling.TopP);
        Set("gen_ai.request.max_tokens", maxTokens);
        Set("gen_ai.request.seed", sampling.Seed);
        Set("gen_ai.request.choice.count", choices == 1 ? null : choices);
        Set("gen_ai.request.top_k", sampling.TopK == 0 ? null : sampling.TopK);
        Set("gen_ai.request.frequency_penalty", sampling.FrequencyPenalty == 0 ? null : sampling.FrequencyPenalty);
        Set("gen_ai.request.presence_penalty", sampling.PresencePenalty == 0 ? null : sampling.PresencePenalty);
        Set("gen_ai.request.stop_sequences", stops.Count == 0 ? null : stops.ToArray());
    }

    /// <summary>Records what is said, where that was asked for.</summary>
    /// <param name="request">The conversation.</param>
    /// <param name="reply">Not read yet.</param>
    public void Listens(ChatRequest request, ChatReply reply)
    {
        if (!_telemetry.CapturesContent || _activity is not { IsAllDataRequested: true })
        {
            return;
        }

        Set("gen_ai.system_instructions", MessageContent.Instructions(request.Messages));
        Set("gen_ai.input.messages", MessageContent.Input(request.Messages));
        Set("gen_ai.tool.definitions", MessageContent.Tools(request.Tools));
        CollectedReply[] replies = _replies = [.. Enumerable.Range(0, request.Choices).Select(static _ => new CollectedReply())];
        reply.Said = found => replies[found.Choice].Add(found);
    }

    /// <summary>Says how it is answered.</summary>
    /// <param name="id">Number of the answer, where the API has one.</param>
    /// <param name="isStream">Whether it comes in pieces.</param>
    public void Answers(string? id, bool isStream)
    {
        Set("gen_ai.response.id", id);
        _activity?.SetTag("gen_ai.request.stream", isStream);
    }

    /// <summary>It is over.</summary>
    /// <param name="usage">What it took; null for operations that generate nothing.</param>
    /// <param name="inputTokens">Tokens of its prompts.</param>
    /// <param name="choices">Choices asked for.</param>
    /// <param name="reasons">Why its choices ended.</param>
    /// <param name="error">What kind of error ended it, or null.</param>
    public void End(GenerationUsage? usage, int inputTokens, int choices, IReadOnlyList<string> reasons, string? error)
    {
        var tags = new TagList
        {
            { "gen_ai.operation.name", _operation }, { "gen_ai.provider.name", ServerTelemetry.Provider }, { "gen_ai.request.model", _model }, { "gen_ai.response.model", _served },
        };
        if (error is not null)
        {
            tags.Add("error.type", error);
        }

        bool hasTokens = usage is { GeneratedTokens: > 0 };
        int perChoice = hasTokens ? usage!.GeneratedTokens / choices : 0;
        _telemetry.Measure(tags, Stopwatch.GetElapsedTime(_started), hasTokens ? usage!.Queued + usage.Prefill : null, perChoice > 1 ? usage!.Decode / (perChoice - 1) : null);
        if (_activity is not { } span)
        {
            return;
        }

        span.SetTag("gen_ai.usage.input_tokens", inputTokens);
        if (usage is not null)
        {
            Tell(span, usage, hasTokens);
        }

        Set("gen_ai.output.messages", _replies is null ? null : MessageContent.Output(_replies));
        Set("gen_ai.response.finish_reasons", reasons.Count == 0 ? null : reasons.ToArray());
        if (error is not null)
        {
            span.SetTag("error.type", error).SetStatus(ActivityStatusCode.Error);
            if (error == RequestRecord.Cancelled)
            {
                span.AddEvent(new ActivityEvent("cancelled"));
            }
        }

        span.Stop();
    }

    private static void Tell(Activity span, GenerationUsage usage, bool hasTokens)
    {
        span.SetTag("gen_ai.usage.output_tokens", usage.GeneratedTokens).SetTag("gen_ai.usage.cache_read.input_tokens", usage.CachedTokens);
        DateTime at = span.StartTimeUtc;
        ServerTelemetry.Part(span, "queue", at, usage.Queued);
        if (hasTokens)
        {
            span.SetTag("gen_ai.response.time_to_first_chunk", (usage.Queued + usage.Prefill).TotalSeconds);
            ServerTelemetry.Part(span, "prefill", at += usage.Queued, usage.Prefill);
            ServerTelemetry.Part(span, "decode", at + usage.Prefill, usage.Decode);
        }

        if (usage.Preemptions > 0)
        {
            span.AddEvent(new ActivityEvent("preempted", tags: new ActivityTagsCollection { ["puna.preemptions"] = usage.Preemptions }));
        }
    }

    private void Set(string key, object? value)
    {
        if (value is not null)
        {
            _activity?.SetTag(key, value);
        }
    }
}
