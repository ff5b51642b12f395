using Puna.Models.Vision;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Safety.LlamaGuard;

/// <summary>A language model as a Llama Guard needs it.</summary>
public interface IGuardModel
{
    /// <summary>Its tokenizer.</summary>
    Tokenizer Tokenizer { get; }

    /// <summary>How many tokens stand for a picture.</summary>
    /// <param name="image">The picture.</param>
    ChatImage Place(TiledImage image) => new(image.Grid.Rows, image.Grid.Columns);

    /// <summary>The likeliest answer to a prompt.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="images">The pictures in it.</param>
    /// <param name="maxTokens">Most tokens of the answer.</param>
    /// <param name="cancel">Stops it.</param>
    /// <returns>The tokens before the one that ended it, and their text.</returns>
    (IReadOnlyList<int> Tokens, string Text) Answer(IReadOnlyList<int> prompt, IReadOnlyList<TiledImage> images, int maxTokens, CancellationToken cancel);

    /// <summary>Natural logarithms of how likely tokens are behind a text.</summary>
    float[] LogProbabilities(IReadOnlyList<int> prompt, IReadOnlyList<TiledImage> images, IReadOnlyList<int> tokens, CancellationToken cancel);
}
