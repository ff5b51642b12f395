using System.Text;
using Puna.Cli.Hosting;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Cli.Commands;

/// <summary><c>puna tokenize</c>.</summary>
internal sealed class TokenizeCommand : Command
{
    private const int LinesAtOnce = 512;

    private static readonly Argument Text = new("TEXT", "The text, taken as it stands", IsRequired: false) { ExtraHint = "put the text in quotes" };
    private static readonly ModelOptions Model = new(computes: false);
    private static readonly Option<string?> File = Parsing.Options.Path("file", "F", "Texts: one per line, or in F.jsonl the \"text\" of one JSON object per line; - is standard input", ValueHint.File);
    private static readonly Option<bool> Special = Parsing.Options.Flag("special", "Recognise special tokens that are written out in a text");
    private static readonly Option<bool> Bos = Parsing.Options.Flag("bos", "Begin each text with the token that begins a text");
    private static readonly Option<bool> Pieces = Parsing.Options.Flag("pieces", "Print each token with its entry in the vocabulary, one per line");
    private static readonly Option<bool> Json = CommonOptions.Json("Print a JSON object per text: its ids, and the text decoded from them");

    /// <inheritdoc/>
    public override string Name => "tokenize";

    /// <inheritdoc/>
    public override string Summary => "turn text into token ids";

    /// <inheritdoc/>
    public override string Description =>
        "Prints the ids of each text on a line, in order. A model may also be a tokenizer file alone: tokenizer.model of SentencePiece, Llama 3 or Llama 4, or "
        + "tokenizer.json. No special token is recognised and none is added unless asked for.";

    /// <inheritdoc/>
    public override IReadOnlyList<Argument> Arguments => [Text];

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [Model.Group, new("Input and output", File, Special, Bos, Pieces, Json)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna tokenize \"Once upon a time\"", "With the embedded model's vocabulary"),
        new("puna tokenize --model tokenizer.model --file texts.jsonl --json", "A tokenizer alone, for programs"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        ParsedArguments args = context.Args;
        string? text = args.Get(Text);
        if ((text is null) == (args.Get(File) is null))
        {
            throw new UsageException($"text: expected one of TEXT and --file, got {(text is null ? "none" : "both")} (see puna tokenize --help)");
        }

        args.Exclude(Pieces, Json);
        Tokenizer tokenizer = new ModelLocator(context).Locate(args.Get(Model.Model)).OpenTokenizer(map: !args.Get(Model.NoMmap));
        if (args.Get(Bos) && tokenizer.BosId is null)
        {
            throw new PunaException("option --bos: expected a tokenizer with a token that begins a text, got one without");
        }

        Write(context, tokenizer, text is not null ? [text] : ReadFile(args.Get(File)!));
        return ExitCodes.Done;
    }

    private static IEnumerable<string> ReadFile(string path)
    {
        var lines = new TextLines(path);
        if (path == TextLines.StandardInput)
        {
            return [.. lines.Read()];
        }

        // Twice through the file, so that nothing is printed before an error and the file need not fit into memory.
        lines.Check();
        return lines.Read();
    }

    private static void Write(CommandContext context, Tokenizer tokenizer, IEnumerable<string> texts)
    {
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = CommonOptions.ThreadCount(context.Args.Get(Model.Threads)),
            CancellationToken = context.Token,
        };
        foreach (string[] some in texts.Chunk(LinesAtOnce))
        {
            var results = new string[some.Length];
            Parallel.For(0, some.Length, options, i => results[i] = Format(context.Args, tokenizer, some[i]));
            foreach (string result in results)
            {
                context.Out.Write(result);
            }
        }
    }

    private static string Format(ParsedArguments args, Tokenizer tokenizer, string text)
    {
        var ids = new List<int>();
        if (args.Get(Bos))
        {
            ids.Add(tokenizer.BosId!.Value);
        }

        tokenizer.Encode(text, ids, args.Get(Special) ? SpecialTokens.All : SpecialTokens.None);
        if (args.Get(Json))
        {
            using var writer = new StringWriter();
            using (var line = new JsonOutput(writer))
            {
                line.Writer.WriteStartObject();
                line.Writer.WriteStartArray("ids");
                foreach (int id in ids)
                {
                    line.Writer.WriteNumberValue(id);
                }

                line.Writer.WriteEndArray();
                line.Writer.WriteString("text", tokenizer.Decode([.. ids]));
                line.Writer.WriteEndObject();
            }

            return writer.ToString();
        }

        if (!args.Get(Pieces))
        {
            return string.Join(' ', ids) + "\n";
        }

        var pieces = new StringBuilder();
        foreach (int id in ids)
        {
            pieces.Append(id).Append('\t').Append(PunaException.OneLine(tokenizer.Piece(id))).Append('\n');
        }

        return pieces.ToString();
    }
}
