namespace Puna.Runtime.Serving;

/// <summary>Why an engine takes no request.</summary>
public enum EngineBusyReason
{
    /// <summary>The key has as many requests as one key may have.</summary>
    KeyLimit,

    /// <summary>As many requests wait as may wait.</summary>
    QueueLimit,

    /// <summary>The engine is ending.</summary>
    Draining,
}
