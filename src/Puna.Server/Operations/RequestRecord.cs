using Puna.Runtime.Serving;

namespace Puna.Server.Operations;

/// <summary>Counts a request once, when it is over; one that nobody said the end of was broken off.</summary>
internal sealed class RequestRecord(ServerMetrics metrics, Func<GenerationUsage> usage, int choices, int? maxTokens) : IDisposable
{
    private string _reason = "abort";

    /// <summary>Says why it ended.</summary>
    public void Ended(string reason) => _reason = reason;

    /// <inheritdoc/>
    public void Dispose() => metrics.Record(usage(), _reason, choices, maxTokens);
}
