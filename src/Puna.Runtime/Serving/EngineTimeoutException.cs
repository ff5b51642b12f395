using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>A request waited or took longer than the engine's options allow.</summary>
/// <param name="message">One line.</param>
/// <param name="inQueue">Whether it was still waiting.</param>
public sealed class EngineTimeoutException(string message, bool inQueue) : PunaException(message)
{
    /// <summary>Whether it was still waiting; otherwise it was being computed.</summary>
    public bool InQueue { get; } = inQueue;
}
