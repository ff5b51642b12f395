using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Puna.MaskBench;

/// <summary>What became of one file.</summary>
public sealed class MaskBenchResult
{
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Name of the file.</summary>
    public required string File { get; init; }

    /// <summary>Why the schema did not compile, or null.</summary>
    public string? Error { get; set; }

    /// <summary>Time to compile, whether it succeeded or not, in microseconds.</summary>
    public double CompileMicroseconds { get; set; }

    /// <summary>Per instance: whether it was accepted, and whether it is valid.</summary>
    public List<(bool Accepted, bool Valid)> Instances { get; } = [];

    /// <summary>Time of every mask, in microseconds.</summary>
    public List<double> MaskMicroseconds { get; } = [];

    /// <summary>Steps of the mask that took most, with taking its token.</summary>
    public long MostSteps { get; set; }

    /// <summary>Steps of the instance that took most.</summary>
    public long MostTextSteps { get; set; }

    /// <summary>Bytes that the constraint says it keeps after all instances.</summary>
    public long Bytes { get; set; }

    /// <summary>The value below which the given part of the values lies, by the nearest rank.</summary>
    public static double Quantile(List<double> values, double part)
    {
        if (values.Count == 0)
        {
            return 0;
        }

        double[] sorted = [.. values];
        Array.Sort(sorted);
        return sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    /// <summary>A line of JSON.</summary>
    public string ToJson() => new JsonObject
    {
        ["file"] = File,
        ["compiled"] = Error is null,
        ["error"] = Error,
        ["accepted"] = new JsonArray([.. Instances.Select(i => (JsonNode)JsonValue.Create(i.Accepted))]),
        ["compile_us"] = Math.Round(CompileMicroseconds, 1),
        ["most_steps"] = MostSteps,
        ["most_text_steps"] = MostTextSteps,
        ["bytes"] = Bytes,
        ["mask_us"] = new JsonArray(Math.Round(Quantile(MaskMicroseconds, 0.5), 2), Math.Round(Quantile(MaskMicroseconds, 0.99), 2)),
    }.ToJsonString(Compact);

    /// <summary>A line for people.</summary>
    public string ToText() => Error is not null
        ? $"{File}: {Error}"
        : string.Create(CultureInfo.InvariantCulture,
            $"{File}: compiled in {CompileMicroseconds:F0} us, {Instances.Count(i => i.Accepted == i.Valid)} of {Instances.Count} instances as expected, masks {Quantile(MaskMicroseconds, 0.5):F1} us (median), {Quantile(MaskMicroseconds, 0.99):F1} us (99th percentile)");
}
