using Puna.Text;
using Puna.Training.Data;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>One source of text of a run.</summary>
internal interface ITrainingSource : IDisposable
{
    /// <summary>What it is called.</summary>
    string Name { get; }

    /// <summary>Texts to train a tokenizer on, from the first one.</summary>
    /// <exception cref="Puna.Tensors.PunaException">The source has token ids only.</exception>
    IEnumerable<string> Texts();

    /// <summary>Its documents as tokens.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="heldOut">Those for validation, which training never sees.</param>
    /// <returns>A stream that ends with this source.</returns>
    ITokenStream Open(Tokenizer tokenizer, bool heldOut);

    /// <summary>Whether it has documents for validation.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    bool HasHeldOut(Tokenizer tokenizer);
}
