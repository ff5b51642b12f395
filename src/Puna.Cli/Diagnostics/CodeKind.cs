namespace Puna.Cli.Diagnostics;

/// <summary>How the code of a process was compiled.</summary>
internal enum CodeKind
{
    /// <summary>At run time.</summary>
    Jit,

    /// <summary>When it was published, and again at run time where that is better.</summary>
    ReadyToRun,

    /// <summary>When it was published, for good.</summary>
    Native,
}
