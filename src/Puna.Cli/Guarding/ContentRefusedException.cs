using Puna.Runtime.Filtering;
using Puna.Tensors;

namespace Puna.Cli.Guarding;

/// <summary>A guard did not let a message pass. The command line is not at fault, so the exit code is that of work that failed.</summary>
/// <param name="what">Prompt or reply.</param>
/// <param name="verdict">Why.</param>
internal sealed class ContentRefusedException(string what, ContentVerdict verdict) : PunaException($"{what} refused by the guard: {verdict.Reason}");
