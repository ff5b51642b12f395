namespace Puna.Runtime.Serving;

/// <summary>What an engine has done. Written by the engine's thread, read by any.</summary>
internal sealed class EngineCounters(int capacity)
{
    private static readonly TimeSpan UsageAge = TimeSpan.FromMilliseconds(200);

    private int _running;
    private int _waiting;
    private int _usedBlocks;
    private long _usageAt;
    private long _prefixQueries;
    private long _prefixHits;
    private long _preemptions;
    private long _promptTokens;
    private long _generatedTokens;
    private long _steps;
    private long _computedTokens;
    private long _computingTicks;
    private long _heartbeat;
    private long _stepStarted;
    private readonly long[] _sizes = new long[EngineStatistics.StepSizeBounds.Count + 1];

    public void Set(int running, int waiting)
    {
        Volatile.Write(ref _running, running);
        Volatile.Write(ref _waiting, waiting);
    }

    public bool IsUsageOld(TimeProvider time) => time.GetElapsedTime(_usageAt) > UsageAge;

    public void SetUsage(int blocks, TimeProvider time)
    {
        Volatile.Write(ref _usedBlocks, blocks);
        _usageAt = time.GetTimestamp();
    }

    public void Beat(TimeProvider time) => Volatile.Write(ref _heartbeat, time.GetTimestamp());

    public void BeginStep(TimeProvider time) => Volatile.Write(ref _stepStarted, time.GetTimestamp());

    public void EndStep() => Volatile.Write(ref _stepStarted, 0);

    /// <summary>When the present step began; 0 while the thread rests.</summary>
    public long StepStarted => Volatile.Read(ref _stepStarted);

    /// <summary>How long the present step has taken; none while the thread rests.</summary>
    public TimeSpan StepAge(TimeProvider time) => StepStarted is not 0 and long started ? time.GetElapsedTime(started) : TimeSpan.Zero;

    public void AddPrompt(int tokens, int found, bool isLookedUp)
    {
        Interlocked.Add(ref _promptTokens, tokens);
        Interlocked.Add(ref _prefixQueries, isLookedUp ? tokens : 0);
        Interlocked.Add(ref _prefixHits, found);
    }

    public void AddPreemption() => Interlocked.Increment(ref _preemptions);

    public void AddGenerated() => Interlocked.Increment(ref _generatedTokens);

    public void AddStep(int tokens, TimeSpan duration)
    {
        Interlocked.Increment(ref _steps);
        int size = 0;
        while (size < EngineStatistics.StepSizeBounds.Count && tokens > EngineStatistics.StepSizeBounds[size])
        {
            size++;
        }

        Interlocked.Increment(ref _sizes[size]);
        Interlocked.Add(ref _computedTokens, tokens);
        Interlocked.Add(ref _computingTicks, duration.Ticks);
    }

    /// <summary>Tokens computed per second of computing; 0 before the first.</summary>
    public double Rate()
    {
        long ticks = Interlocked.Read(ref _computingTicks);
        return ticks == 0 ? 0 : Interlocked.Read(ref _computedTokens) / TimeSpan.FromTicks(ticks).TotalSeconds;
    }

    public EngineStatistics Read(TimeProvider time, ImageStore? images) => new(
        Volatile.Read(ref _running),
        Volatile.Read(ref _waiting),
        Math.Clamp((double)Volatile.Read(ref _usedBlocks) / capacity, 0, 1),
        capacity,
        Interlocked.Read(ref _prefixQueries),
        Interlocked.Read(ref _prefixHits),
        Interlocked.Read(ref _preemptions),
        Interlocked.Read(ref _promptTokens),
        Interlocked.Read(ref _generatedTokens),
        Interlocked.Read(ref _steps),
        time.GetElapsedTime(Volatile.Read(ref _heartbeat)),
        images?.Encoded ?? 0,
        images?.Bytes().Held ?? 0)
    {
        StepSizes = [.. _sizes],
        StepTokens = Interlocked.Read(ref _computedTokens),
    };
}
