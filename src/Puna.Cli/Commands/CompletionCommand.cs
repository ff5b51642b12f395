using Puna.Cli.Completions;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;

namespace Puna.Cli.Commands;

/// <summary><c>puna completion</c>.</summary>
internal sealed class CompletionCommand : Command
{
    private static readonly Argument Shell = new("SHELL", "The shell to write a script for", IsRequired: true) { Choices = ["bash", "zsh", "fish", "pwsh"] };

    /// <inheritdoc/>
    public override string Name => "completion";

    /// <inheritdoc/>
    public override string Summary => "write a completion script for a shell";

    /// <inheritdoc/>
    public override string Description => "Prints a script that lets the shell complete commands, options and their values. It is made from the definitions the parser uses.";

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [Shell];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("source <(puna completion bash)", "Completion in this bash session; put the line into ~/.bashrc to keep it"),
        new("puna completion zsh > \"${fpath[1]}/_puna\"", "Completion in every new zsh session"),
        new("puna completion fish > ~/.config/fish/completions/puna.fish", "Completion in every new fish session"),
        new("puna completion pwsh | Out-String | Invoke-Expression", "Completion in this PowerShell session; put the line into $PROFILE to keep it"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        IReadOnlyList<Command> commands = CommandTable.All();
        context.Out.Write(context.Args.Require(Shell) switch
        {
            "bash" => BashCompletion.Script(commands),
            "zsh" => ZshCompletion.Script(commands),
            "fish" => FishCompletion.Script(commands),
            _ => PowerShellCompletion.Script(commands),
        });
        return ExitCodes.Done;
    }
}
