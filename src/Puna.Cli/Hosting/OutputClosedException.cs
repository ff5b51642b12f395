namespace Puna.Cli.Hosting;

/// <summary>Whoever read our output has gone (as in <c>puna list | head -1</c>): there is nothing left to do and nothing to complain about.</summary>
internal sealed class OutputClosedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public OutputClosedException()
        : base("standard output is closed")
    {
    }
}
