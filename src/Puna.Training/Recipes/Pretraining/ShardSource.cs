using Puna.Tensors;
using Puna.Text;
using Puna.Training.Data;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>A folder of token shards, as <c>puna train data</c> makes it.</summary>
/// <param name="folder">The folder.</param>
/// <param name="seed">Seed of the order of documents.</param>
internal sealed class ShardSource(string folder, ulong seed) : ITrainingSource
{
    /// <inheritdoc/>
    public string Name => $"shards {Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))}";

    /// <inheritdoc/>
    public IEnumerable<string> Texts() => throw new PunaException($"shards {folder}: expected texts to train a tokenizer on, got token ids: name the tokenizer that they were made with");

    /// <inheritdoc/>
    public ITokenStream Open(Tokenizer tokenizer, bool heldOut)
    {
        // Stays open as long as the run: its shards are mapped.
        Dataset dataset = Dataset.Open(folder);
        dataset.Require(tokenizer);
        return heldOut ? dataset.Validation() : dataset.Training(seed);
    }
}
