using System.Globalization;
using System.Text.Json;
using Puna.Cli.Hosting;

namespace Puna.Cli.Diagnostics;

/// <summary>What <c>puna bench</c> measured.</summary>
/// <param name="PrefillTokens">Tokens of each prompt.</param>
/// <param name="DecodeTokens">Tokens generated after each.</param>
/// <param name="ContextTokens">Tokens in the cache of each sequence when decoding starts.</param>
/// <param name="Batch">Sequences at the same time.</param>
/// <param name="Load">Time to open the model.</param>
/// <param name="Runs">Time to read all prompts, which is the time to the first token, and time to generate all tokens; at least one run.</param>
/// <param name="PeakRssBytes">Most memory the process has had, mapped files included as far as they were resident.</param>
/// <param name="WeightBytes">Bytes of the weights that a decoding step reads.</param>
/// <param name="FlopsPerToken">Float operations of a prompt's token in the matrices of the blocks.</param>
/// <param name="ReadBandwidth">Bytes per second that the threads read from memory.</param>
/// <param name="FmaPeak">Float32 operations per second that the threads' multiply-add units give.</param>
/// <param name="Threads">Threads that compute.</param>
/// <param name="Kernels">Name of the kernels.</param>
internal sealed record BenchResult(
    int PrefillTokens,
    int DecodeTokens,
    int ContextTokens,
    int Batch,
    TimeSpan Load,
    IReadOnlyList<(TimeSpan Prefill, TimeSpan Decode)> Runs,
    long PeakRssBytes,
    long WeightBytes,
    long FlopsPerToken,
    double ReadBandwidth,
    double FmaPeak,
    int Threads,
    string Kernels)
{
    private readonly Spread _prefillRate = Spread.Of(Runs.Select(run => PrefillTokens * (double)Batch / run.Prefill.TotalSeconds));
    private readonly Spread _decodeRate = Spread.Of(Runs.Select(run => DecodeTokens * (double)Batch / run.Decode.TotalSeconds));
    private readonly Spread _firstToken = Spread.Of(Runs.Select(static run => run.Prefill.TotalMilliseconds));

    /// <summary>Writes one JSON object.</summary>
    public void WriteJson(TextWriter output)
    {
        using var line = new JsonOutput(output);
        Utf8JsonWriter json = line.Writer;
        json.WriteStartObject();
        json.WriteNumber("prefill_tokens_per_second", Math.Round(_prefillRate.Median, 3));
        json.WriteNumber("decode_tokens_per_second", Math.Round(_decodeRate.Median, 3));
        json.WriteNumber("first_token_ms", Math.Round(_firstToken.Median, 3));
        json.WriteNumber("load_ms", Math.Round(Load.TotalMilliseconds, 3));
        json.WriteNumber("peak_rss_bytes", PeakRssBytes);
        json.WriteNumber("weight_bytes", WeightBytes);
        json.WriteNumber("matrix_flops_per_token", FlopsPerToken);
        json.WriteNumber("read_bandwidth_bytes_per_second", Math.Round(ReadBandwidth));
        json.WriteNumber("fma_peak_flops_per_second", Math.Round(FmaPeak));
        json.WriteNumber("threads", Threads);
        json.WriteString("kernels", Kernels);
        json.WriteNumber("prefill_tokens", PrefillTokens);
        json.WriteNumber("decode_tokens", DecodeTokens);
        json.WriteNumber("context_tokens", ContextTokens);
        json.WriteNumber("batch", Batch);
        json.WriteNumber("runs", Runs.Count);
        WriteRange(json, "prefill_tokens_per_second_range", _prefillRate);
        WriteRange(json, "decode_tokens_per_second_range", _decodeRate);
        json.WriteEndObject();
    }

    /// <summary>Writes the result for people.</summary>
    public void WriteText(TextWriter output)
    {
        double stepsPerSecond = _decodeRate.Median / Batch;
        var table = new TextTable();
        table.Add("prefill", Text($"{_prefillRate.Median:F1} tokens per second ({Batch} x {PrefillTokens} tokens{Range(_prefillRate)})"));
        table.Add("decode", Text($"{_decodeRate.Median:F1} tokens per second ({Batch} x {DecodeTokens} tokens behind {ContextTokens}{Range(_decodeRate)})"));
        table.Add("first token", Text($"{_firstToken.Median:F1} ms"));
        table.Add("load", Text($"{Load.TotalMilliseconds:F1} ms"));
        table.Add("memory", Text($"{ByteSize.Format(PeakRssBytes)} at most"));
        table.Add("weights", Text($"{ByteSize.Format(WeightBytes)} read per step: {WeightBytes * stepsPerSecond / 1e9:F1} GB/s of {ReadBandwidth / 1e9:F1} GB/s that the memory gives"));
        table.Add("multiply-add", Text($"{FlopsPerToken * _prefillRate.Median / 1e9:F1} GFLOP/s in the matrices of the prefill of {FmaPeak / 1e9:F1} that float32 gives at most ({MultiplyAddPeak.Bits} bits)"));
        table.Add("threads", Text($"{Threads}, kernels {Kernels}"));
        table.Write(output, "");
    }

    private static void WriteRange(Utf8JsonWriter json, string name, Spread spread)
    {
        json.WriteStartArray(name);
        json.WriteNumberValue(Math.Round(spread.Least, 3));
        json.WriteNumberValue(Math.Round(spread.Most, 3));
        json.WriteEndArray();
    }

    private string Range(Spread rate) =>
        Runs.Count == 1 ? "" : Text($"; the median of {Runs.Count} runs between {rate.Least:F1} and {rate.Most:F1}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
