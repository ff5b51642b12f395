using System.Globalization;
using Puna.Formats;
using Puna.Tensors;
using Puna.Text.Chat;
using Puna.Text.Tiktoken;
using Puna.Text.Training;

namespace Puna.Training.Recipes;

/// <summary>
/// Trains a tokenizer (spec training.md 2.1) and writes the files of a model's folder: <c>tokenizer.model</c>, <c>tokenizer.json</c>, <c>tokenizer_config.json</c>. They are put in place
/// together at the end, so there is nothing to resume from: a run that was stopped starts anew. A folder that holds a tokenizer is refused, since what is there may be of another kind, in files of other names.
/// </summary>
public sealed class TokenizerRecipe : IRecipe
{
    /// <inheritdoc/>
    public string Name => "tokenizer";

    /// <inheritdoc/>
    public string Summary => "train a tokenizer: SentencePiece (Llama 2) or byte-level BPE (Llama 3)";

    /// <inheritdoc/>
    public string Run(RecipeRequest request, IRecipeReport report, CancellationToken stop)
    {
        TokenizerConfig config = RecipeConfig.Read(request.Config, TokenizerConfigJson.Default.TokenizerConfig);
        config.Validate(request.Config);
        foreach (string name in (string[])["tokenizer.model", "tokenizer.json", "tokenizer_config.json"])
        {
            string path = Path.Combine(request.Output, name);
            if (File.Exists(path))
            {
                throw new PunaException($"output {path}: expected a folder without a tokenizer, got one");
            }
        }

        string home = Path.GetDirectoryName(Path.GetFullPath(request.Config))!;
        using var texts = new TextFiles([.. config.Inputs.Select(input => Path.Combine(home, input))], config.MaxBytes ?? 0);
        TrainedTokenizer trained = config.Kind == "sentencepiece"
            ? SentencePieceTrainer.Train(texts, Pieces(config), request.Threads, report.Progress, stop)
            : ByteBpeTrainer.Train(texts, Bytes(config), request.Threads, report.Progress, stop);
        string? template = config.ChatFormat is null ? null : Llama3ChatFormat.Template;
        if (template is not null && ChatFormats.Detect(template, trained.Tokenizer).Format is null)
        {
            throw new PunaException($"config {request.Config} chat_format: expected the special tokens of llama3, got a tokenizer without them");
        }

        Write(trained.Files(template), request.Output);
        string summary = Summarize(config, trained);
        report.Line(summary);
        return summary;
    }

    private static SentencePieceTrainerOptions Pieces(TokenizerConfig config)
    {
        var usual = new SentencePieceTrainerOptions();
        return new SentencePieceTrainerOptions
        {
            VocabularySize = config.VocabSize,
            Coverage = config.Coverage ?? usual.Coverage,
            ByteFallback = config.ByteFallback ?? usual.ByteFallback,
            SplitDigits = config.SplitDigits ?? usual.SplitDigits,
            SplitByScript = config.SplitByScript ?? usual.SplitByScript,
            SpacePieces = config.SpacePieces ?? usual.SpacePieces,
            MaxPieceLength = config.MaxPieceLength ?? usual.MaxPieceLength,
            MaxLineBytes = config.MaxLineBytes ?? usual.MaxLineBytes,
            ControlSymbols = config.ControlSymbols ?? [],
            UserDefinedSymbols = config.UserDefinedSymbols ?? [],
        };
    }

    private static ByteBpeTrainerOptions Bytes(TokenizerConfig config) => new()
    {
        VocabularySize = config.VocabSize,
        Pattern = config.Pattern switch
        {
            null or "llama3" => ByteBpeTrainerOptions.Llama3Pattern,
            "llama4" => ByteBpeTrainerOptions.Llama4Pattern,
            string other => other,
        },
        SpecialTokens = config.SpecialTokens ?? [.. TiktokenSpecials.Names(TiktokenFamily.Llama3).Take(config.SpecialCount ?? 256)],
        MaxTokenBytes = config.MaxPieceLength ?? 0,
    };

    private static void Write(Dictionary<string, byte[]> content, string folder)
    {
        using var files = new StagedFiles();
        files.MakeFolder(folder);
        foreach ((string name, byte[] bytes) in content)
        {
            files.Create(Path.Combine(folder, name)).Write(bytes);
        }

        files.Commit();
    }

    private static string Summarize(TokenizerConfig config, TrainedTokenizer trained)
    {
        TokenizerTrainingReport r = trained.Report;
        int size = config.Kind == "sentencepiece" ? trained.Tokenizer.VocabularySize : r.Alphabet + r.Merges;
        string few = size >= config.VocabSize ? "" : $"\nonly {size} of the {config.VocabSize} asked for: the text has no more pairs to merge";
        string lines = r.LinesLeftOut == 0 ? "" : $"\n{r.LinesLeftOut} lines left out, longer than {config.MaxLineBytes} bytes";
        return string.Create(CultureInfo.InvariantCulture,
            $"{config.Kind} tokenizer of {trained.Tokenizer.VocabularySize} pieces ({r.Alphabet} {(config.Kind == "sentencepiece" ? "characters" : "bytes")}, {r.Merges} merges)\n"
            + $"{r.Bytes} bytes in {r.Texts} texts, {r.DistinctWords} different words, {r.BytesPerToken:F2} bytes per token\n"
            + $"counting {r.Counting.TotalSeconds:F1} s, merging {r.Merging.TotalSeconds:F1} s") + few + lines;
    }
}
