using Puna.Cli.Hosting;
using Puna.Cli.Inspection;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;

namespace Puna.Cli.Commands;

/// <summary><c>puna inspect</c>.</summary>
internal sealed class InspectCommand : Command
{
    private static readonly Argument Model = new("M", "The model: a file, a folder, an embedded name, or owner/name[:file] of the hub", IsRequired: true) { Hint = ValueHint.Model };
    private static readonly Option<bool> Json = CommonOptions.Json($"Print one JSON object; arrays of more than {InspectionJson.LongestArray} values by type and length");
    private static readonly Option<bool> NoMmap = CommonOptions.NoMmap();
    private static readonly Option<long?> Threads = CommonOptions.Threads(computes: false);

    /// <inheritdoc/>
    public override string Name => "inspect";

    /// <inheritdoc/>
    public override string Summary => "show what is in a model";

    /// <inheritdoc/>
    public override string Description =>
        "Shows format, architecture, metadata and all tensors of a model, without running it. Files of tensors that this version cannot run as a model "
        + "are shown all the same, with the reason. Nothing in a file is ever executed.";

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [Model];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [new("Options", Json, Threads, NoMmap)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna inspect puna-tiny", "The model inside this program"),
        new("puna inspect Llama-3.2-1B/", "A folder in Hugging Face or Meta layout"),
        new("puna inspect llama.gguf --json", "For programs"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        if (AnnouncedModel.Is(context.Args.Require(Model)))
        {
            AnnouncedModel.Write(context.Out, context.Args.Get(Json));
            return ExitCodes.Done;
        }

        ModelSource source = new ModelLocator(context).Locate(context.Args.Require(Model));
        using ModelInspection model = ModelInspection.Open(source, !context.Args.Get(NoMmap));
        if (context.Args.Get(Json))
        {
            InspectionJson.Write(model, context.Out);
        }
        else
        {
            InspectionText.Write(model, context.Out);
        }

        return ExitCodes.Done;
    }
}
