using Puna.Tensors;

namespace Puna.Hub;

/// <summary>A model could not be fetched, found in the cache or removed from it. The message is one line that says what to do.</summary>
public sealed class HubException : PunaException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="kind">What kind of failure this is, for callers that react to it.</param>
    /// <param name="message">One line: what failed, expected and got, and what helps.</param>
    /// <param name="inner">The cause, if there is one.</param>
    public HubException(HubErrorKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    /// <summary>What kind of failure this is.</summary>
    public HubErrorKind Kind { get; }
}
