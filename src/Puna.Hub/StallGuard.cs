namespace Puna.Hub;

/// <summary>
/// Cancels an exchange in which nothing happens for too long. Armed only while the network is waited for, so that a slow disk is not taken for a slow server.
/// </summary>
internal sealed class StallGuard : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationToken _caller;
    private readonly TimeSpan _timeout;

    public StallGuard(TimeSpan timeout, CancellationToken caller)
    {
        _timeout = timeout;
        _caller = caller;
        _source = CancellationTokenSource.CreateLinkedTokenSource(caller);
    }

    /// <summary>To be given to network calls; belongs to the caller's wish to stop as well.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Starts the clock.</summary>
    public void Arm() => _source.CancelAfter(_timeout);

    /// <summary>Stops the clock.</summary>
    public void Disarm() => _source.CancelAfter(Timeout.InfiniteTimeSpan);

    /// <summary>What a failure of the network means: the caller's own cancellation passes, a stall and a lost connection become transient.</summary>
    public Exception Explain(Exception cause, string host)
    {
        if (_caller.IsCancellationRequested) return new OperationCanceledException(cause.Message, cause, _caller);
        return _source.IsCancellationRequested
            ? new TransientHubException(FormattableString.Invariant($"{host} sent nothing for {_timeout.TotalSeconds:0.###} s"), inner: cause)
            : new TransientHubException($"the connection to {host} failed ({Innermost(cause)})", inner: cause);
    }

    public void Dispose() => _source.Dispose();

    private static string Innermost(Exception e)
    {
        while (e.InnerException is { } inner) e = inner;
        return e.Message.TrimEnd('.');
    }
}
