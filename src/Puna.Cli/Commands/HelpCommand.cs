using Puna.Cli.Hosting;
using Puna.Cli.Parsing;

namespace Puna.Cli.Commands;

/// <summary><c>puna help</c>.</summary>
internal sealed class HelpCommand : Command
{
    private static readonly Argument About = new("COMMAND", "The command to explain; without it, all commands are listed", IsRequired: false) { Hint = ValueHint.Command };

    /// <inheritdoc/>
    public override string Name => "help";

    /// <inheritdoc/>
    public override string Summary => "explain a command";

    /// <inheritdoc/>
    public override string Description => "Prints the page of a command: its usage, options with defaults, and examples. The same as puna COMMAND --help.";

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [About];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples => [new("puna help run", "Everything the command run can do")];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        string? name = context.Args.Get(About);
        int width = context.Terminal.Width;
        context.Out.Write(name is null ? HelpText.Overview(CommandTable.All(), width) : HelpText.Page(CommandTable.Find(name), width));
        return ExitCodes.Done;
    }
}
