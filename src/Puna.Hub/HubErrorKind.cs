namespace Puna.Hub;

/// <summary>What went wrong between a model's name and its files.</summary>
public enum HubErrorKind
{
    /// <summary>The hub or the cache has no such model, revision or file.</summary>
    NotFound,

    /// <summary>The hub wants a token, or the token given may not read the model.</summary>
    AccessDenied,

    /// <summary>Offline mode is on and the cache does not have what was asked for.</summary>
    Offline,

    /// <summary>The name fits several models in the repository; the message lists them.</summary>
    Ambiguous,

    /// <summary>No connection, or it broke more often than the bounded number of attempts allows.</summary>
    Network,

    /// <summary>The hub answered with something that is not what its interface promises, hostile file names included.</summary>
    BadAnswer,

    /// <summary>A file came with another length or checksum than the hub had announced.</summary>
    Corrupt,

    /// <summary>A local file could not be written or read: disk full, no permission.</summary>
    Disk,

    /// <summary>Another process is using the same part of the cache.</summary>
    Busy,
}
