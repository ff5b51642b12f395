using Puna.Cli.Generation;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Cli.Commands;

/// <summary><c>puna fill</c>.</summary>
internal sealed class FillCommand : Command
{
    private static readonly ModelOptions Model = new();
    private static readonly SamplingArguments Sampling = new();
    private static readonly Option<string?> Prefix = Parsing.Options.Path("prefix", "F", "A file with the text before the gap, taken exactly; - is standard input", ValueHint.File);
    private static readonly Option<string?> Suffix = Parsing.Options.Path("suffix", "F", "A file with the text after the gap, taken exactly; - is standard input", ValueHint.File);
    private static readonly Option<bool> SuffixFirst = Parsing.Options.Flag("suffix-first", "Give the model the suffix before the prefix");
    private static readonly Option<bool> Json = CommonOptions.Json("Print one JSON object with the new text, its tokens and why it ended");

    /// <inheritdoc/>
    public override string Name => "fill";

    /// <inheritdoc/>
    public override string Summary => "write the text between a prefix and a suffix";

    /// <inheritdoc/>
    public override string Description =>
        "Prints the text that a model puts between two others, and nothing else: no line break is added. The model must have tokens for infilling, as Code Llama has.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [new("Text and output", Prefix, Suffix, SuffixFirst, Json), Model.Group, .. Sampling.Groups];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna fill --model CodeLlama-7b/ --prefix before.py --suffix after.py --temperature 0", "The likeliest lines between two parts of a program"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        ParsedArguments args = context.Args;
        string prefix = Read(args, Prefix), suffix = Read(args, Suffix);
        GenerationOptions options = Sampling.Read(args);
        using OpenedModel opened = OpenedModel.Open(context, Model, withTokenizer: true);
        Tokenizer tokenizer = opened.RequireTokenizer();
        if (!Infilling.IsSupported(tokenizer))
        {
            throw new PunaException($"model {opened.Name}: expected tokens for infilling, as Code Llama has, got a vocabulary without");
        }

        int[] prompt = Infilling.Encode(tokenizer, prefix, suffix, args.Get(SuffixFirst));
        IReadOnlyList<int> stops = [.. Infilling.StopIds(tokenizer).Concat(opened.Language.StopIds).Distinct().Order()];
        using var session = new Session(opened.Language, opened.Ops, opened.CacheType);
        var result = new RunResult();
        foreach (GenerationStep step in session.Generate(prompt, options with { StopIds = stops }, context.Token))
        {
            result.Add(step);
            if (!args.Get(Json))
            {
                context.Out.Write(step.Text);
                context.Out.Flush();
            }
        }

        if (args.Get(Json))
        {
            using var line = new JsonOutput(context.Out);
            line.Writer.WriteStartObject();
            result.Write(line.Writer, isInterrupted: false, prompt.Length, options.Sampling.Seed, tokenizer);
            line.Writer.WriteEndObject();
        }

        return ExitCodes.Done;
    }

    private static string Read(ParsedArguments args, Option<string?> option)
    {
        string path = args.Get(option) ?? throw new UsageException($"option --{option.Name}: expected a file, got none (see puna fill --help)");
        return TextLines.ReadExactly(path);
    }
}
