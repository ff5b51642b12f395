using System.Security.Cryptography;
using System.Text;
using Puna.Formats;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Training;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>Tokenizers of recipes that train models: opened, or trained on the recipe's texts first.</summary>
internal static class RecipeTokenizers
{
    /// <summary>Name of the file beside a trained tokenizer that tells what it was trained from. It is not one of a model's.</summary>
    public const string OriginFile = "origin.sha256";

    /// <summary>Opens a tokenizer's file or folder.</summary>
    /// <exception cref="PunaException">There is none.</exception>
    public static Tokenizer Open(string path) => Directory.Exists(path)
        ? TokenizerLoader.TryOpenFolder(path) ?? throw new PunaException($"tokenizer {path}: expected a folder with a tokenizer, got none in it")
        : TokenizerLoader.Open(path);

    /// <summary>Trains a byte-level BPE, or opens the one that an earlier start of the run has trained.</summary>
    /// <param name="section">What the config says of it.</param>
    /// <param name="controlTokens">Control tokens; their ids come last, in this order.</param>
    /// <param name="texts">What it learns from.</param>
    /// <param name="origin">Whatever <paramref name="texts"/> follow from: sources, seed.</param>
    /// <param name="request">Where it is kept: in the folder <c>tokenizer</c> of the output.</param>
    /// <param name="report">Told of it.</param>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="PunaException">There is a tokenizer already, and it is of another origin.</exception>
    public static Tokenizer Train(TokenizerSection section, IReadOnlyList<string> controlTokens, IEnumerable<string> texts, IReadOnlyList<string> origin, RecipeRequest request, IRecipeReport report, CancellationToken stop)
    {
        string folder = Path.Combine(request.Output, "tokenizer"), path = Path.Combine(folder, "tokenizer.json"), originPath = Path.Combine(folder, OriginFile);
        string digest = Digest([$"{section.VocabSize} tokens, {section.Documents} documents", .. controlTokens, .. origin]);
        if (File.Exists(path))
        {
            RequireOrigin(originPath, digest, request.Resume);
        }
        else
        {
            report.Progress("training a tokenizer", 0, null);
            var options = new ByteBpeTrainerOptions { VocabularySize = section.VocabSize - controlTokens.Count, SpecialTokens = controlTokens };
            TrainedTokenizer trained = ByteBpeTrainer.Train(new MemoryTexts(texts), options, request.Threads, null, stop);
            using var files = new StagedFiles();
            files.MakeFolder(folder);
            foreach ((string name, byte[] content) in trained.Files())
            {
                if (name != "tokenizer.json")
                {
                    files.Create(Path.Combine(folder, name)).Write(content);
                }
            }

            files.Create(originPath).Write(Encoding.ASCII.GetBytes(digest + "\n"));

            // Last, since it says that the others are there.
            files.Create(path).Write(trained.Files()["tokenizer.json"]);
            files.Commit();
        }

        return Open(folder);
    }

    /// <summary>Refuses a tokenizer that was not trained from the same; of one that does not say, only a run that goes on takes it to be its own.</summary>
    private static void RequireOrigin(string path, string digest, bool resume)
    {
        try
        {
            string? got = File.Exists(path) ? File.ReadAllText(path).Trim() : null;
            if (got is null ? !resume : got != digest)
            {
                throw new PunaException(
                    $"tokenizer {Path.GetDirectoryName(path)}: expected none, or the one that this config trains, got {(got is null ? "one that does not say what it was trained from" : "one of another train_tokenizer, data or seed")}: remove it or choose another folder");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"tokenizer {path}: cannot be read: {e.Message}", e);
        }
    }

    private static string Digest(IEnumerable<string> parts)
    {
        using var all = new MemoryStream();
        using var writer = new BinaryWriter(all);
        foreach (string part in parts)
        {
            writer.Write(part); // with its length, so that no two lists of parts are the same bytes
        }

        return Convert.ToHexStringLower(SHA256.HashData(all.ToArray()));
    }
}
