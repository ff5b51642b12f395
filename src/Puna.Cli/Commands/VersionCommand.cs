using Puna.Cli.Hosting;
using Puna.Cli.Parsing;

namespace Puna.Cli.Commands;

/// <summary><c>puna version</c>.</summary>
internal sealed class VersionCommand : Command
{
    /// <inheritdoc/>
    public override string Name => "version";

    /// <inheritdoc/>
    public override string Summary => "show the version";

    /// <inheritdoc/>
    public override string Description => "Prints the name and the version of this program, as puna --version does.";

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        context.Out.WriteLine($"puna {ProductInfo.Version}");
        return ExitCodes.Done;
    }
}
