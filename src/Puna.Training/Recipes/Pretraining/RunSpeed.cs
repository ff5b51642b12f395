using System.Globalization;
using System.Text;
using Puna.Formats;
using Puna.Tensors;
using Puna.Training.Core;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>How fast a run is: tokens per second, and the share of the rate of a large product that was measured at its beginning. Kept in <c>speed.csv</c>, apart from the log, whose bytes do not depend on it.</summary>
internal sealed class RunSpeed : IDisposable
{
    private const string Header = "step,tokens,seconds,tokens_per_second,flops_per_second,share_of_peak";
    private const int Recent = 20;

    private readonly StreamWriter _file;
    private readonly Queue<(long Tokens, double Flops, double Seconds)> _recent = new();
    private readonly double _peak;
    private double _tokens;
    private double _flops;
    private double _seconds;

    /// <summary>Opens the file.</summary>
    /// <param name="ops">The device, whose rate is measured.</param>
    /// <param name="path">The file.</param>
    /// <param name="step">Steps done; lines of later ones, which a killed process left, go.</param>
    public RunSpeed(CpuOps ops, string path, long step)
    {
        _peak = ComputePeak.Measure(ops);
        try
        {
            IEnumerable<string> kept = step > 0 && File.Exists(path) ? File.ReadLines(path).Where(line => StepOf(line) is long s && s <= step) : [];
            StagedFiles.Write(path, Encoding.UTF8.GetBytes(string.Concat(kept.Prepend(Header).Select(static line => line + "\n"))));
            _file = new StreamWriter(path, append: true) { AutoFlush = true, NewLine = "\n" };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"log {path}: cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Notes a step.</summary>
    public void Add(long step, long tokens, double flops, double seconds)
    {
        _recent.Enqueue((tokens, flops, seconds));
        if (_recent.Count > Recent)
        {
            _recent.Dequeue();
        }

        (_tokens, _flops, _seconds) = (_tokens + tokens, _flops + flops, _seconds + seconds);
        _file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{step},{tokens},{seconds:F4},{tokens / seconds:F1},{flops / seconds:E4},{flops / seconds / _peak:F4}"));
    }

    /// <summary>The speed of the last steps and the time that so many more will take.</summary>
    public string Describe(long steps)
    {
        double seconds = _recent.Sum(static r => r.Seconds);
        var left = TimeSpan.FromSeconds(seconds / _recent.Count * steps);
        string time = left.TotalHours >= 1 ? $"{(int)left.TotalHours} h {left.Minutes} min" : left.TotalMinutes >= 1 ? $"{left.Minutes} min {left.Seconds} s" : $"{left.Seconds} s";
        return string.Create(CultureInfo.InvariantCulture, $"{_recent.Sum(static r => r.Tokens) / seconds:N0} tokens/s, {_recent.Sum(static r => r.Flops) / seconds / _peak:P0} of peak, {time} left");
    }

    /// <summary>Means over the steps of this process; null where it did none.</summary>
    public SpeedSummary? Summary() => _seconds == 0 ? null : new SpeedSummary(_tokens / _seconds, _flops / _seconds, _peak);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>The step of a whole line, else null.</summary>
    private static long? StepOf(string line) =>
        line.Split(',') is { Length: 6 } parts && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long step) ? step : null;
}
