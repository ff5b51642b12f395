using Puna.Tensors;
using Puna.Text;
using Puna.Training.Data;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>A folder of token shards, as <c>puna train data</c> makes it.</summary>
/// <param name="folder">The folder.</param>
/// <param name="seed">Seed of the order of documents.</param>
internal sealed class ShardSource(string folder, ulong seed) : ITrainingSource
{
    private Dataset? _dataset;

    /// <inheritdoc/>
    public string Name => $"shards {Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))}";

    /// <inheritdoc/>
    public IEnumerable<string> Texts() => throw new PunaException($"shards {folder}: expected texts to train a tokenizer on, got token ids: name the tokenizer that they were made with");

    /// <inheritdoc/>
    public ITokenStream Open(Tokenizer tokenizer, bool heldOut) => heldOut ? Opened(tokenizer).Validation() : Opened(tokenizer).Training(seed);

    /// <inheritdoc/>
    public bool HasHeldOut(Tokenizer tokenizer) => Opened(tokenizer).HasValidation;

    /// <inheritdoc/>
    public void Dispose() => _dataset?.Dispose();

    /// <summary>Opened once: shards are mapped, and the vocabulary is compared, for all validations of a run.</summary>
    private Dataset Opened(Tokenizer tokenizer)
    {
        if (_dataset is null)
        {
            _dataset = Dataset.Open(folder);
            _dataset.Require(tokenizer);
        }

        return _dataset;
    }
}
