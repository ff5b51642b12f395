using System.Globalization;
using Puna.Cli.Generation;
using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Evaluation;
using Puna.Tensors;

namespace Puna.Cli.Commands;

/// <summary><c>puna perplexity</c>.</summary>
internal sealed class PerplexityCommand : Command
{
    private static readonly ModelOptions Model = new();
    private static readonly Option<string?> File = Parsing.Options.Path("file", "F", "The texts: one per line, or in F.jsonl the \"text\" of one JSON object per line", ValueHint.File);
    private static readonly Option<bool> Json = CommonOptions.Json();

    /// <inheritdoc/>
    public override string Name => "perplexity";

    /// <inheritdoc/>
    public override string Summary => "measure how well a model predicts texts";

    /// <inheritdoc/>
    public override string Description =>
        "Reads each text on its own, with the tokens that begin and end a text around it, and predicts every token but the first from those before it. Prints "
        + "the mean negative log likelihood per token, in nats, and its exponential, the perplexity. A text longer than the model's context is read in windows.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [Model.Group, new("Input and output", File, Json)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples => [new("puna perplexity --model llama.gguf --file test.txt --json", "For programs")];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        string path = context.Args.Require(File);
        var lines = new TextLines(path);
        List<string> texts = [.. lines.Read()];
        using OpenedModel opened = OpenedModel.Open(context, Model, withTokenizer: true);
        var perplexity = new Perplexity(opened.Language, opened.Ops, opened.CacheType);
        PerplexityResult result = ProgressDisplay.Run(context.Terminal, ProgressUnit.Items, show => perplexity.Score(
            texts, now => show(new ProgressState("texts", now.Texts, texts.Count)), context.Token));
        if (result.Tokens == 0)
        {
            throw new FileFormatException(path, "texts: expected at least one that is not empty, got none");
        }

        if (!double.IsFinite(result.MeanNll))
        {
            throw new PunaException($"model {opened.Name}: expected finite logits, got others");
        }

        Write(context, result);
        return ExitCodes.Done;
    }

    private static void Write(CommandContext context, PerplexityResult result)
    {
        if (context.Args.Get(Json))
        {
            using var line = new JsonOutput(context.Out);
            line.Writer.WriteStartObject();
            line.Writer.WriteNumber("perplexity", result.Perplexity);
            line.Writer.WriteNumber("mean_nll", result.MeanNll);
            line.Writer.WriteNumber("tokens", result.Tokens);
            line.Writer.WriteNumber("texts", result.Texts);
            line.Writer.WriteEndObject();
            return;
        }

        var table = new TextTable();
        table.Add("perplexity", result.Perplexity.ToString("F5", CultureInfo.InvariantCulture));
        table.Add("mean nll", result.MeanNll.ToString("F6", CultureInfo.InvariantCulture) + " nats per token");
        table.Add("tokens", string.Create(CultureInfo.InvariantCulture, $"{result.Tokens:N0} predicted in {result.Texts:N0} texts"));
        table.Write(context.Out, "");
    }
}
