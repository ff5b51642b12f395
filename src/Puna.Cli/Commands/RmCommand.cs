using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.DefaultModel;
using Puna.Hub;
using Puna.Tensors;

namespace Puna.Cli.Commands;

/// <summary><c>puna rm</c>.</summary>
internal sealed class RmCommand : Command
{
    private static readonly Argument Model = new("NAME", "owner/name for all of a model, owner/name@revision for one revision, owner/name:file for one file", IsRequired: true);

    /// <inheritdoc/>
    public override string Name => "rm";

    /// <inheritdoc/>
    public override string Summary => "remove a model from the local cache";

    /// <inheritdoc/>
    public override string Description =>
        "Removes the files of a model from the cache, unfinished downloads included, and says how many bytes that freed. Nothing outside the cache is ever removed.";

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [Model];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna rm unsloth/Llama-3.2-1B-Instruct", "All of it"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        string name = context.Args.Require(Model);
        if (DefaultModels.Contains(name))
        {
            throw new PunaException($"model {name}: expected a model of the cache, got an embedded one, which is part of this program");
        }

        long freed = new HubCache().Remove(name);
        context.Out.WriteLine($"removed {name}, {ByteSize.Format(freed)} freed");
        return ExitCodes.Done;
    }
}
