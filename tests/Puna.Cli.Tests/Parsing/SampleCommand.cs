using Puna.Cli.Hosting;
using Puna.Cli.Parsing;

namespace Puna.Cli.Tests.Parsing;

/// <summary>A command with every kind of option.</summary>
internal sealed class SampleCommand : Command
{
    public static readonly Argument Prompt = new("PROMPT", "A text", IsRequired: false) { ExtraHint = "put the prompt in quotes" };
    public static readonly Option<bool> Json = Cli.Parsing.Options.Flag("json", "A flag");
    public static readonly Option<string?> Model = Cli.Parsing.Options.Path("model", "M", "A file", ValueHint.Model);
    public static readonly Option<string?> Text = Cli.Parsing.Options.Text("prompt", "P", "A text");
    public static readonly Option<string?> Stop = Cli.Parsing.Options.Text("stop", "S", "A text that ends", repeatable: true);
    public static readonly Option<int> Count = Cli.Parsing.Options.Integer("max-tokens", "N", "A number", 16, 1);
    public static readonly Option<long?> Seed = Cli.Parsing.Options.OptionalInteger("seed", "S", "A number", "random", long.MinValue, long.MaxValue);
    public static readonly Option<double> Temperature = Cli.Parsing.Options.Number("temperature", "T", "A number", 0.8, 0, 100);
    public static readonly Option<string?> Format = Cli.Parsing.Options.Choice("format", "F", "A word", ["gguf", "meta", "safetensors"], "gguf");
    public static readonly Option<int[]?> Tokens = Cli.Parsing.Options.Tokens("tokens", "Ids");

    public override string Name => "sample";

    public override string Summary => "try the parser";

    public override string Description => "First paragraph, long enough to be broken somewhere in the middle of the line.\n\nSecond paragraph.";

    public override IReadOnlyList<Argument> Arguments => [Prompt];

    public override IReadOnlyList<OptionGroup> Groups => [new("Options", Json, Model, Text, Stop, Count), new("Numbers", Seed, Temperature, Format, Tokens)];

    public override IReadOnlyList<Example> Examples => [new("puna sample --json", "Tries it")];

    public override int Execute(CommandContext context) => 0;
}
