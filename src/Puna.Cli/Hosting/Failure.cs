using System.Reflection;
using Puna.Cli.Guarding;
using Puna.Hub;
using Puna.Runtime.Serving;
using Puna.Tensors;

namespace Puna.Cli.Hosting;

/// <summary>What a failed command says and answers.</summary>
/// <param name="ExitCode">One of <see cref="ExitCodes"/>.</param>
/// <param name="Message">One line for standard error; null where there is nothing to say.</param>
internal sealed record Failure(int ExitCode, string? Message)
{
    /// <summary>Finds the answer to an exception.</summary>
    public static Failure Of(Exception e) => e switch
    {
        OutputClosedException => new Failure(ExitCodes.Done, null),
        HubException { Kind: HubErrorKind.Network or HubErrorKind.BadAnswer or HubErrorKind.Corrupt or HubErrorKind.Disk or HubErrorKind.Busy } => new Failure(ExitCodes.Failed, e.Message),
        EngineFaultException => new Failure(ExitCodes.Failed, e.Message),
        ContentRefusedException => new Failure(ExitCodes.Failed, e.Message),
        PunaException => new Failure(ExitCodes.BadInput, e.Message),
        OperationCanceledException => new Failure(ExitCodes.Interrupted, "interrupted"),
        OutOfMemoryException => new Failure(ExitCodes.Failed, "out of memory"),
        IOException or UnauthorizedAccessException => new Failure(ExitCodes.Failed, PunaException.OneLine(e.Message)),
        AggregateException { InnerExceptions.Count: > 0 } many => Of(many.InnerExceptions[0]),
        TypeInitializationException or TargetInvocationException when e.InnerException is { } inner => Of(inner),
        _ => new Failure(ExitCodes.Failed, PunaException.OneLine($"unexpected error: {e.GetType().Name}: {e.Message}") + " (PUNA_DEBUG=1 shows where)"),
    };
}
