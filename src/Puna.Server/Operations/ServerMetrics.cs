using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Puna.Runtime.Serving;

namespace Puna.Server.Operations;

/// <summary>What a server counts, under the names that vLLM's dashboards know (spec serving.md 7.2), in the text form of Prometheus.</summary>
internal sealed class ServerMetrics
{
    private static readonly double[] FirstToken = [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];
    private static readonly double[] PerToken = [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];
    private static readonly double[] Latency = [.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

    private readonly string _prefix;
    private readonly string _model;
    private readonly Engine _engine;
    private readonly ConcurrentDictionary<string, long> _finished = new();
    private readonly (string Name, string Help, Histogram Values)[] _histograms;
    private readonly Histogram _prompt, _generation, _most, _choices, _first, _perToken, _whole, _queue, _inference, _prefill, _decode;
    private long _unknownFields;

    public ServerMetrics(string prefix, string model, Engine engine)
    {
        (_prefix, _model, _engine) = (prefix, model, engine);
        double[] tokens = [.. OneTwoFive(engine.ContextLength)];
        _prompt = new Histogram(tokens);
        _generation = new Histogram(tokens);
        _most = new Histogram(tokens);
        _choices = new Histogram([1, 2, 5, 10, 20]);
        _first = new Histogram(FirstToken);
        _perToken = new Histogram(PerToken);
        _whole = new Histogram(Latency);
        _queue = new Histogram(Latency);
        _inference = new Histogram(Latency);
        _prefill = new Histogram(Latency);
        _decode = new Histogram(Latency);
        _histograms =
        [
            ("request_prompt_tokens", "Tokens of prompts.", _prompt),
            ("request_generation_tokens", "Tokens generated per request.", _generation),
            ("request_params_max_tokens", "Most tokens asked for.", _most),
            ("request_params_n", "Choices asked for.", _choices),
            ("time_to_first_token_seconds", "From the arrival of a request to its first token.", _first),
            ("time_per_output_token_seconds", "Between two tokens of a request, its mean.", _perToken),
            ("e2e_request_latency_seconds", "From the arrival of a request to its end.", _whole),
            ("request_queue_time_seconds", "Time in the queue.", _queue),
            ("request_inference_time_seconds", "Time of computing.", _inference),
            ("request_prefill_time_seconds", "Time until the first token, without the queue.", _prefill),
            ("request_decode_time_seconds", "Time from the first token to the last.", _decode),
        ];
    }

    /// <summary>Counts a request that is over.</summary>
    /// <param name="usage">What it took.</param>
    /// <param name="reason">Why it ended: stop, length, abort, error.</param>
    /// <param name="choices">Choices asked for.</param>
    /// <param name="maxTokens">Most tokens asked for, or null.</param>
    public void Record(GenerationUsage usage, string reason, int choices, int? maxTokens)
    {
        _finished.AddOrUpdate(reason, 1, static (_, n) => n + 1);
        _prompt.Add(usage.PromptTokens);
        _generation.Add(usage.GeneratedTokens);
        _choices.Add(choices);
        if (maxTokens is int most)
        {
            _most.Add(most);
        }

        if (usage.GeneratedTokens == 0)
        {
            return;
        }

        _first.Add((usage.Queued + usage.Prefill).TotalSeconds);
        _whole.Add((usage.Queued + usage.Prefill + usage.Decode).TotalSeconds);
        _queue.Add(usage.Queued.TotalSeconds);
        _inference.Add((usage.Prefill + usage.Decode).TotalSeconds);
        _prefill.Add(usage.Prefill.TotalSeconds);
        _decode.Add(usage.Decode.TotalSeconds);
        int perChoice = usage.GeneratedTokens / choices;
        if (perChoice > 1)
        {
            _perToken.Add(usage.Decode.TotalSeconds / (perChoice - 1));
        }
    }

    /// <summary>Counts members of requests that nothing here knows.</summary>
    public void AddUnknownFields(int count) => Interlocked.Add(ref _unknownFields, count);

    /// <summary>Everything, as text.</summary>
    public string Write()
    {
        EngineStatistics s = _engine.Statistics();
        var text = new StringBuilder();
        Simple("num_requests_running", "gauge", "Requests being computed.", s.Running);
        Simple("num_requests_waiting", "gauge", "Requests in the queue.", s.Waiting);
        Simple("kv_cache_usage_perc", "gauge", "Share of the memory for keys and values in use, 0 to 1.", s.CacheUsage);
        Simple("prefix_cache_queries_total", "counter", "Tokens of prompts looked up in the prefix cache.", s.PrefixQueries);
        Simple("prefix_cache_hits_total", "counter", "Tokens of prompts found there.", s.PrefixHits);
        Simple("num_preemptions_total", "counter", "Requests set back for want of memory.", s.Preemptions);
        Simple("prompt_tokens_total", "counter", "Tokens of prompts.", s.PromptTokens);
        Simple("generation_tokens_total", "counter", "Tokens generated.", s.GeneratedTokens);
        Simple("engine_steps_total", "counter", "Forward passes.", s.Steps);
        Simple("unknown_request_fields_total", "counter", "Members of requests that nothing here knows.", Interlocked.Read(ref _unknownFields));
        Simple("gc_pause_seconds_total", "counter", "Time that garbage collections held the process up.", GC.GetTotalPauseDuration().TotalSeconds);
        Simple("process_resident_memory_bytes", "gauge", "Memory of the process.", Process.GetCurrentProcess().WorkingSet64);
        Head("request_success_total", "counter", "Requests that ended, by reason.");
        foreach (string reason in (string[])["stop", "length", "abort", "error", "tool_calls", "content_filter"])
        {
            Line("request_success_total", $",finished_reason=\"{reason}\"", _finished.GetValueOrDefault(reason));
        }

        Head("cache_config_info", "gauge", "How keys and values are kept.");
        Line("cache_config_info", $",block_size=\"{Tensors.KvCache.BlockSize}\",num_cpu_blocks=\"{s.CacheBlocks}\",enable_prefix_caching=\"{(_engine.Options.PrefixCache ? "True" : "False")}\"", 1);
        foreach ((string name, string help, Histogram values) in _histograms)
        {
            Head(name, "histogram", help);
            (IReadOnlyList<(double Bound, long Count)> buckets, long count, double sum) = values.Read();
            foreach ((double bound, long below) in buckets)
            {
                Line(name + "_bucket", FormattableString.Invariant($",le=\"{bound}\""), below);
            }

            Line(name + "_bucket", ",le=\"+Inf\"", count);
            Line(name + "_sum", "", sum);
            Line(name + "_count", "", count);
        }

        Head("iteration_tokens_total", "histogram", "Tokens of a forward pass.");
        long upTo = 0;
        for (int i = 0; i < s.StepSizes.Count; i++)
        {
            upTo += s.StepSizes[i];
            Line("iteration_tokens_total_bucket", i < EngineStatistics.StepSizeBounds.Count ? FormattableString.Invariant($",le=\"{EngineStatistics.StepSizeBounds[i]}\"") : ",le=\"+Inf\"", upTo);
        }

        Line("iteration_tokens_total_sum", "", s.StepTokens);
        Line("iteration_tokens_total_count", "", upTo);
        return text.ToString();

        void Simple(string name, string kind, string help, double value)
        {
            Head(name, kind, help);
            Line(name, "", value);
        }

        void Head(string name, string kind, string help) => text.Append("# HELP ").Append(_prefix).Append(':').Append(name).Append(' ').Append(help).Append('\n')
            .Append("# TYPE ").Append(_prefix).Append(':').Append(name).Append(' ').Append(kind).Append('\n');

        void Line(string name, string labels, double value) => text.Append(_prefix).Append(':').Append(name).Append("{model_name=\"").Append(Escape(_model)).Append("\",engine=\"0\"").Append(labels).Append("} ")
            .Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Escape(string label) => label.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static IEnumerable<double> OneTwoFive(int most)
    {
        for (long ten = 1; ten <= most; ten *= 10)
        {
            foreach (long step in (long[])[ten, 2 * ten, 5 * ten])
            {
                if (step <= most)
                {
                    yield return step;
                }
            }
        }
    }
}
