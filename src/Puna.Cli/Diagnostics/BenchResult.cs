using System.Globalization;
using System.Text.Json;
using Puna.Cli.Hosting;

namespace Puna.Cli.Diagnostics;

/// <summary>What <c>puna bench</c> measured.</summary>
/// <param name="PrefillTokens">Tokens of each prompt.</param>
/// <param name="DecodeTokens">Tokens generated after each.</param>
/// <param name="Batch">Sequences at the same time.</param>
/// <param name="Load">Time to open the model.</param>
/// <param name="Prefill">Time to read all prompts, which is the time to the first token.</param>
/// <param name="Decode">Time to generate all tokens.</param>
/// <param name="PeakRssBytes">Most memory the process has had, mapped files included as far as they were resident.</param>
/// <param name="WeightBytes">Bytes of the weights that a decoding step reads.</param>
/// <param name="ReadBandwidth">Bytes per second that the threads read from memory.</param>
/// <param name="Threads">Threads that compute.</param>
/// <param name="Kernels">Name of the kernels.</param>
internal sealed record BenchResult(
    int PrefillTokens,
    int DecodeTokens,
    int Batch,
    TimeSpan Load,
    TimeSpan Prefill,
    TimeSpan Decode,
    long PeakRssBytes,
    long WeightBytes,
    double ReadBandwidth,
    int Threads,
    string Kernels)
{
    private double PrefillRate => PrefillTokens * (double)Batch / Prefill.TotalSeconds;

    private double DecodeRate => DecodeTokens * (double)Batch / Decode.TotalSeconds;

    /// <summary>Writes one JSON object.</summary>
    public void WriteJson(TextWriter output)
    {
        using var line = new JsonOutput(output);
        Utf8JsonWriter json = line.Writer;
        json.WriteStartObject();
        json.WriteNumber("prefill_tokens_per_second", Math.Round(PrefillRate, 3));
        json.WriteNumber("decode_tokens_per_second", Math.Round(DecodeRate, 3));
        json.WriteNumber("first_token_ms", Math.Round(Prefill.TotalMilliseconds, 3));
        json.WriteNumber("load_ms", Math.Round(Load.TotalMilliseconds, 3));
        json.WriteNumber("peak_rss_bytes", PeakRssBytes);
        json.WriteNumber("weight_bytes", WeightBytes);
        json.WriteNumber("read_bandwidth_bytes_per_second", Math.Round(ReadBandwidth));
        json.WriteNumber("threads", Threads);
        json.WriteString("kernels", Kernels);
        json.WriteNumber("prefill_tokens", PrefillTokens);
        json.WriteNumber("decode_tokens", DecodeTokens);
        json.WriteNumber("batch", Batch);
        json.WriteEndObject();
    }

    /// <summary>Writes the result for people.</summary>
    public void WriteText(TextWriter output)
    {
        double stepsPerSecond = DecodeRate / Batch;
        var table = new TextTable();
        table.Add("prefill", Text($"{PrefillRate:F1} tokens per second ({Batch} x {PrefillTokens} tokens in {Prefill.TotalMilliseconds:F0} ms)"));
        table.Add("decode", Text($"{DecodeRate:F1} tokens per second ({Batch} x {DecodeTokens} tokens in {Decode.TotalMilliseconds:F0} ms)"));
        table.Add("first token", Text($"{Prefill.TotalMilliseconds:F1} ms"));
        table.Add("load", Text($"{Load.TotalMilliseconds:F1} ms"));
        table.Add("memory", Text($"{ByteSize.Format(PeakRssBytes)} at most"));
        table.Add("weights", Text($"{ByteSize.Format(WeightBytes)} read per step: {WeightBytes * stepsPerSecond / 1e9:F1} GB/s of {ReadBandwidth / 1e9:F1} GB/s that the memory gives"));
        table.Add("threads", Text($"{Threads}, kernels {Kernels}"));
        table.Write(output, "");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
