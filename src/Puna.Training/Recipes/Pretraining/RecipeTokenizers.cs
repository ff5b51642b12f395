using Puna.Formats;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Training;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>Tokenizers of recipes that train models: opened, or trained on the recipe's texts first.</summary>
internal static class RecipeTokenizers
{
    /// <summary>Opens a tokenizer's file or folder.</summary>
    /// <exception cref="PunaException">There is none.</exception>
    public static Tokenizer Open(string path) => Directory.Exists(path)
        ? TokenizerLoader.TryOpenFolder(path) ?? throw new PunaException($"tokenizer {path}: expected a folder with a tokenizer, got none in it")
        : TokenizerLoader.Open(path);

    /// <summary>Trains a byte-level BPE, or opens the one that an earlier start of the run has trained.</summary>
    /// <param name="vocabulary">Tokens, control tokens included.</param>
    /// <param name="controlTokens">Control tokens; their ids come last, in this order.</param>
    /// <param name="texts">What it learns from.</param>
    /// <param name="folder">Where it is kept.</param>
    /// <param name="threads">Threads that count words.</param>
    /// <param name="report">Told of it.</param>
    /// <param name="stop">Stops it.</param>
    public static Tokenizer Train(int vocabulary, IReadOnlyList<string> controlTokens, IEnumerable<string> texts, string folder, int threads, IRecipeReport report, CancellationToken stop)
    {
        string path = Path.Combine(folder, "tokenizer.json");
        if (!File.Exists(path))
        {
            report.Progress("training a tokenizer", 0, null);
            var options = new ByteBpeTrainerOptions { VocabularySize = vocabulary - controlTokens.Count, SpecialTokens = controlTokens };
            TrainedTokenizer trained = ByteBpeTrainer.Train(new MemoryTexts(texts), options, threads, null, stop);
            using var files = new StagedFiles();
            files.MakeFolder(folder);
            foreach ((string name, byte[] content) in trained.Files())
            {
                if (name != "tokenizer.json")
                {
                    files.Create(Path.Combine(folder, name)).Write(content);
                }
            }

            // Last, since it says that the others are there.
            files.Create(path).Write(trained.Files()["tokenizer.json"]);
            files.Commit();
        }

        return Open(folder);
    }
}
