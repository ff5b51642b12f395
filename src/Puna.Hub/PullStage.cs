namespace Puna.Hub;

/// <summary>What a pull is doing at the moment.</summary>
public enum PullStage
{
    /// <summary>Another process holds the model; waiting for it.</summary>
    Waiting,

    /// <summary>Asking the hub which files there are.</summary>
    Listing,

    /// <summary>Bytes of a file are coming in.</summary>
    Downloading,

    /// <summary>Reading bytes that are already here, to check them.</summary>
    Verifying,

    /// <summary>An attempt failed; waiting before the next. <see cref="PullProgress.Note"/> says why.</summary>
    Retrying,

    /// <summary>The file is complete under its final name.</summary>
    Done,
}
