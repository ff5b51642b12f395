using System.Collections.Concurrent;

namespace Puna.Hub.Tests;

/// <summary>Keeps every report; <see cref="Progress{T}"/> would post them to another thread.</summary>
internal sealed class Recorder : IProgress<PullProgress>
{
    private readonly Action<PullProgress>? _react;

    public Recorder(Action<PullProgress>? react = null) => _react = react;

    public ConcurrentQueue<PullProgress> Reports { get; } = new();

    public IEnumerable<PullProgress> Of(PullStage stage) => Reports.Where(report => report.Stage == stage);

    public void Report(PullProgress value)
    {
        Reports.Enqueue(value);
        _react?.Invoke(value);
    }
}
