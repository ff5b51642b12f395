namespace Puna.Hub;

/// <summary>
/// A failure that may pass by itself: a lost connection, a stall, a busy server. Never leaves this room: it is retried, or becomes a <see cref="HubException"/>.
/// </summary>
internal sealed class TransientHubException(string message, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>How long the server asked to be left alone (<c>Retry-After</c>), if it did.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
