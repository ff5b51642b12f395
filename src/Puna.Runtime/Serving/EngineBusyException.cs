using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>An engine does not take a request now; later it may.</summary>
/// <param name="message">One line.</param>
/// <param name="reason">Why.</param>
/// <param name="retryAfter">When it may be worth another try: 1 to 60 seconds.</param>
public sealed class EngineBusyException(string message, EngineBusyReason reason, TimeSpan retryAfter) : PunaException(message)
{
    /// <summary>Why.</summary>
    public EngineBusyReason Reason { get; } = reason;

    /// <summary>When it may be worth another try.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
