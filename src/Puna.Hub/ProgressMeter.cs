using System.Diagnostics;

namespace Puna.Hub;

/// <summary>Turns byte counts into <see cref="PullProgress"/> reports, not too many, with a smoothed speed.</summary>
internal sealed class ProgressMeter(IProgress<PullProgress>? sink, string file, int index, int count, long? total)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private long _last = Stopwatch.GetTimestamp();
    private long _lastBytes;
    private double _rate;

    /// <summary>Size of the file; learnt late where the list of files does not have it.</summary>
    public long? Total { get; set; } = total;

    /// <summary>Says so, whatever was said before.</summary>
    public void Say(PullStage stage, long bytes, string? note = null)
    {
        Note(bytes);
        sink?.Report(new PullProgress(stage, file, index, count, bytes, Total, stage == PullStage.Downloading ? _rate : 0, note));
    }

    /// <summary>Sets the point that speed is measured from.</summary>
    public void Begin(long bytes)
    {
        _last = Stopwatch.GetTimestamp();
        _lastBytes = bytes;
        _rate = 0;
    }

    /// <summary>Says so if it is time.</summary>
    public void Tick(PullStage stage, long bytes)
    {
        if (Stopwatch.GetElapsedTime(_last) >= Interval) Say(stage, bytes);
    }

    private void Note(long bytes)
    {
        double seconds = Stopwatch.GetElapsedTime(_last).TotalSeconds;
        if (bytes > _lastBytes && seconds > 0)
        {
            double now = (bytes - _lastBytes) / seconds;
            double weight = _rate == 0 ? 1 : 1 - Math.Exp(-seconds / 3);
            _rate += weight * (now - _rate);
        }

        _last = Stopwatch.GetTimestamp();
        _lastBytes = bytes;
    }
}
