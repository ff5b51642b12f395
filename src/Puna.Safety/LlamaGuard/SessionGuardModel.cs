using System.Text;
using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Safety.LlamaGuard;

/// <summary>A loaded model as a Llama Guard.</summary>
public sealed class SessionGuardModel : IGuardModel, IDisposable
{
    private readonly Session _session;
    private readonly LanguageModel _model;

    /// <summary>Starts a session.</summary>
    /// <param name="model">The model; stays open as long as this.</param>
    /// <param name="ops">The device.</param>
    /// <param name="cacheType">As for <see cref="Session"/>.</param>
    /// <exception cref="PunaException">The model has no tokenizer, or makes no text.</exception>
    public SessionGuardModel(LanguageModel model, CpuOps ops, DType? cacheType = null)
    {
        Tokenizer = model.Tokenizer ?? throw new PunaException($"model {model.Checkpoint.Path}: expected a tokenizer, got a model without one");
        _model = model;
        _session = new Session(model, ops, cacheType);
    }

    /// <inheritdoc/>
    public Tokenizer Tokenizer { get; }

    /// <inheritdoc/>
    public ChatImage Place(TiledImage image) => new(image.Grid.Rows, image.Grid.Columns, _model.Llama.Config.Llama4?.Vision?.TokensPerTile ?? 1);

    /// <inheritdoc/>
    public (IReadOnlyList<int> Tokens, string Text) Answer(IReadOnlyList<int> prompt, IReadOnlyList<TiledImage> images, int maxTokens, CancellationToken cancel)
    {
        var tokens = new List<int>();
        var text = new StringBuilder();
        foreach (GenerationStep step in _session.Generate(prompt, images, new GenerationOptions { MaxTokens = maxTokens, Sampling = SamplingOptions.Greedy }, cancel))
        {
            text.Append(step.Text);
            if (!_model.StopIds.Contains(step.Token))
            {
                tokens.Add(step.Token);
            }
        }

        return (tokens, text.ToString());
    }

    /// <inheritdoc/>
    public float[] LogProbabilities(IReadOnlyList<int> prompt, IReadOnlyList<TiledImage> images, IReadOnlyList<int> tokens, CancellationToken cancel) => _session.LogProbabilities(prompt, images, tokens, cancel);

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
