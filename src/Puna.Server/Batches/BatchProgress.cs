namespace Puna.Server.Batches;

/// <summary>How far a batch has come.</summary>
/// <param name="Requests">Lines of the input, empty ones aside.</param>
/// <param name="Kept">Lines that the output had an answer to before.</param>
/// <param name="Answered">Lines answered now with what they asked for.</param>
/// <param name="Failed">Lines answered now with an error.</param>
public sealed record BatchProgress(long Requests, long Kept, long Answered, long Failed)
{
    /// <summary>Lines that have an answer.</summary>
    public long Done => Kept + Answered + Failed;
}
