namespace Puna.Cli.Hosting;

/// <summary>The exit codes of <c>puna</c>.</summary>
internal static class ExitCodes
{
    /// <summary>The work is done.</summary>
    public const int Done = 0;

    /// <summary>The work failed: a full disk, a lost connection, too little memory, a bug.</summary>
    public const int Failed = 1;

    /// <summary>Bad usage or bad input: the same call will fail again.</summary>
    public const int BadInput = 2;

    /// <summary>Interrupted by the user or the system.</summary>
    public const int Interrupted = 130;
}
