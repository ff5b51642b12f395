using Puna.Runtime.Serving;
using Puna.Server.Http;

namespace Puna.Server.Operations;

/// <summary>Counts and traces a request once, when it is over; one that nobody said the end of was broken off by its client, or failed.</summary>
/// <param name="metrics">What is counted.</param>
/// <param name="span">What traces tell.</param>
/// <param name="usage">What it took so far.</param>
/// <param name="choices">Choices asked for.</param>
/// <param name="maxTokens">Most tokens asked for, or null.</param>
/// <param name="aborted">Set when the client has gone.</param>
internal sealed class RequestRecord(ServerMetrics metrics, TelemetrySpan span, Func<GenerationUsage> usage, int choices, int? maxTokens, CancellationToken aborted) : IDisposable
{
    /// <summary>What the type of error is called where the client has gone.</summary>
    public const string Cancelled = "cancelled";

    private readonly List<string> _reasons = [];
    private string? _error;

    /// <summary>Says how it is answered.</summary>
    /// <param name="id">Number of the answer, where the API has one.</param>
    /// <param name="isStream">Whether it comes in pieces.</param>
    public void Answers(string? id, bool isStream) => span.Answers(id, isStream);

    /// <summary>Says why a choice ended.</summary>
    public void Ended(string reason) => _reasons.Add(reason);

    /// <summary>Says that it failed.</summary>
    /// <param name="error">Why. What is no answer to anybody comes of a client that has gone, or of a server that ends.</param>
    public void Failed(Exception error) => _error = aborted.IsCancellationRequested ? Cancelled : ApiException.Of(error) is { } answer ? answer.Code ?? answer.Type : "draining";

    /// <summary>Waits for the replies, and says why there are none where that fails.</summary>
    public async Task<T> WatchAsync<T>(Task<T> replies)
    {
        try
        {
            return await replies;
        }
        catch (Exception e)
        {
            Failed(e);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Choices that ended before the client went are no reason for the others.
        if (_error is null && _reasons.Count < choices)
        {
            _error = aborted.IsCancellationRequested ? Cancelled : "internal_error";
        }

        GenerationUsage took = usage();
        metrics.Record(took, _error == Cancelled ? "abort" : _error is not null ? "error" : _reasons[0], choices, maxTokens);
        span.End(took, took.PromptTokens, choices, _reasons, _error);
    }
}
