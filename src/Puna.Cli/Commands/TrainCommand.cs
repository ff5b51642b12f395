using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Training.Recipes;

namespace Puna.Cli.Commands;

/// <summary><c>puna train</c>.</summary>
internal sealed class TrainCommand : Command
{
    private const string Plan = "plan";

    private static readonly Argument Recipe = new("RECIPE", $"What to do: {string.Join(", ", RecipeTable.Names)}, or plan", IsRequired: true);
    private static readonly Option<string?> Config = Parsing.Options.Path("config", "F.json", "The recipe's settings; relative paths in it start from its folder", ValueHint.File);
    private static readonly Option<string?> Output = Parsing.Options.Path("out", "DIR", "Folder for the results", ValueHint.Folder, "runs/ and the name of the config");
    private static readonly Option<bool> Resume = Parsing.Options.Flag("resume", "Go on from the last checkpoint of the folder; start anew where it has none");

    private static readonly Option<long?> Threads = CommonOptions.Threads();

    /// <inheritdoc/>
    public override string Name => "train";

    /// <inheritdoc/>
    public override string Summary => "train tokenizers and models";

    /// <inheritdoc/>
    public override string Description =>
        "Runs a recipe: " + string.Join("; ", RecipeTable.All.Select(static r => $"{r.Name} - {r.Summary}")) + "; " + Plan + " - memory, operations and time of training a model of any size, without training it.\n\n"
        + "Ctrl-C stops at the next safe place, where a checkpoint is written; --resume goes on from there, or from the last checkpoint of a process that was killed, with the same losses "
        + "to the last bit as if nothing had happened.";

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [Recipe];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [new("Options", Config, Output, Resume, Threads), PlanArguments.Group];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna train pretrain --config samples/pretrain-tiny.json --out tiny", "A small model in half a minute"),
        new("puna train pretrain --config samples/pretrain-tiny.json --out tiny --resume", "Go on after an interruption"),
        new("puna train plan --preset llama3.1-405b --tp 8 --pp 16 --dp 128 --zero gradients", "What training the largest Llama 3.1 takes"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        bool plans = context.Args.Require(Recipe) == Plan;
        RequireNone(context.Args, plans ? [Config, Output, Resume, Threads] : PlanArguments.Group.Options, plans ? "a recipe" : Plan);
        if (plans)
        {
    return PlanArguments.Execute(context);
        }

        IRecipe recipe = RecipeTable.Find(context.Args.Require(Recipe));
        string config = context.Args.Get(Config) ?? throw new UsageException("train: expected --config F.json, got none");
        string output = context.Args.Get(Output) ?? Path.Combine("runs", Path.GetFileNameWithoutExtension(config));
        var request = new RecipeRequest(config, output, context.Args.Get(Resume), CommonOptions.ThreadCount(context.Args.Get(Threads)));
        string result = RecipeProgress.Run(context.Terminal, report => recipe.Run(request, report, context.Token));
        context.Out.WriteLine(result);
        return ExitCodes.Done;
    }

    /// <summary>An option that would do nothing is refused.</summary>
    private static void RequireNone(ParsedArguments args, IEnumerable<Option> options, string owner)
    {
        if (options.FirstOrDefault(args.Has) is { } option)
        {
            throw new UsageException($"option --{option.Name}: belongs to {owner}");
        }
    }
}
