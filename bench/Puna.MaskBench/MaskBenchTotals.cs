using System.Globalization;
using System.Text.Json.Nodes;

namespace Puna.MaskBench;

/// <summary>The sums over all files.</summary>
public sealed class MaskBenchTotals
{
    private readonly List<double> _compile = [];
    private readonly List<double> _masks = [];
    private long _mostSteps;
    private long _mostTextSteps;
    private long _mostBytes;
    private int _files;
    private int _valid;
    private int _validRefused;
    private int _invalid;
    private int _invalidAccepted;

    /// <summary>Adds a file.</summary>
    public void Add(MaskBenchResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        _files++;
        if (result.Error is not null)
        {
            return;
        }

        _compile.Add(result.CompileMicroseconds);
        _masks.AddRange(result.MaskMicroseconds);
        _mostSteps = Math.Max(_mostSteps, result.MostSteps);
        _mostTextSteps = Math.Max(_mostTextSteps, result.MostTextSteps);
        _mostBytes = Math.Max(_mostBytes, result.Bytes);
        foreach ((bool accepted, bool valid) in result.Instances)
        {
            _valid += valid ? 1 : 0;
            _validRefused += valid && !accepted ? 1 : 0;
            _invalid += valid ? 0 : 1;
            _invalidAccepted += !valid && accepted ? 1 : 0;
        }
    }

    /// <summary>A line of JSON.</summary>
    public string ToJson() => new JsonObject
    {
        ["totals"] = new JsonObject
        {
            ["files"] = _files,
            ["compiled"] = _compile.Count,
            ["compiled_percent"] = _files == 0 ? 0 : Math.Round(100.0 * _compile.Count / _files, 2),
            ["valid"] = _valid,
            ["valid_refused"] = _validRefused,
            ["invalid"] = _invalid,
            ["invalid_accepted"] = _invalidAccepted,
            ["masks"] = _masks.Count,
            ["most_steps"] = _mostSteps,
            ["most_text_steps"] = _mostTextSteps,
            ["most_bytes"] = _mostBytes,
            ["mask_us"] = Quantiles(_masks),
            ["compile_us"] = Quantiles(_compile),
        },
    }.ToJsonString();

    /// <summary>Lines for people.</summary>
    public string ToText() => string.Create(CultureInfo.InvariantCulture,
        $"""

        {_compile.Count} of {_files} schemas compiled ({100.0 * _compile.Count / Math.Max(1, _files):F1} %), {MaskBenchResult.Quantile(_compile, 0.5):F0} us (median), {MaskBenchResult.Quantile(_compile, 0.99):F0} us (99th percentile)
        {_validRefused} of {_valid} valid instances refused, {_invalidAccepted} of {_invalid} invalid ones accepted
        {_masks.Count} masks: {MaskBenchResult.Quantile(_masks, 0.5):F1} us (median), {MaskBenchResult.Quantile(_masks, 0.99):F1} us (99th percentile)
        at most {_mostSteps} steps for a mask, {_mostTextSteps} for an instance; at most {_mostBytes / 1e6:F1} MB kept of a schema's instances
        """);

    private static JsonArray Quantiles(List<double> values) =>
        new(Math.Round(MaskBenchResult.Quantile(values, 0.5), 2), Math.Round(MaskBenchResult.Quantile(values, 0.99), 2));
}
