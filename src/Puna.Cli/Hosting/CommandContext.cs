using Puna.Cli.Parsing;

namespace Puna.Cli.Hosting;

/// <summary>What a command is given to do its work.</summary>
/// <param name="Args">Its options and arguments.</param>
/// <param name="Terminal">Where it reads and writes.</param>
/// <param name="Interrupts">How it is stopped.</param>
internal sealed record CommandContext(ParsedArguments Args, Terminal Terminal, Interrupts Interrupts)
{
    /// <summary>The result of the command.</summary>
    public TextWriter Out => Terminal.Out;

    /// <summary>Cancelled when the command is to stop.</summary>
    public CancellationToken Token => Interrupts.Token;
}
