using Puna.Tensors;
using Puna.Text;

namespace Puna.Cli.Generation;

/// <summary>A plain text that user and model write in turns. After the model has ended a text, the next line begins a new one.</summary>
internal sealed class TextConversation(Tokenizer tokenizer) : IConversation
{
    private readonly List<int> _ids = [];
    private int _before;

    /// <inheritdoc/>
    public IReadOnlyList<int>? StopIds => null;

    /// <inheritdoc/>
    public bool GoesOnWithoutText => _ids.Count > 0;

    /// <inheritdoc/>
    public int[] Ask(string text)
    {
        _before = _ids.Count;
        if (_ids.Count == 0 && tokenizer.AddBos && tokenizer.BosId is int bos)
        {
            _ids.Add(bos);
        }

        tokenizer.Encode(text, _ids);
        return [.. _ids];
    }

    /// <inheritdoc/>
    public void Reply(string text, IReadOnlyList<int> tokens, bool isEnded)
    {
        if (isEnded)
        {
            Reset();
        }
        else
        {
            _ids.AddRange(tokens);
        }
    }

    /// <inheritdoc/>
    public void TakeBack() => _ids.RemoveRange(_before, _ids.Count - _before);

    /// <inheritdoc/>
    public void Reset() => _ids.Clear();

    /// <inheritdoc/>
    public void SetSystem(string? text) => throw new PunaException("system message: expected a model with a chat format, got one that continues plain text");
}
