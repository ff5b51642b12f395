using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Runtime.Generation;

/// <summary>The pictures of a session's text, and what the model makes of them: computed once, as long as they stay the same.</summary>
internal sealed class SessionImages : IDisposable
{
    private readonly CrossStates?[] _states = [null];
    private readonly SoftRows _soft = new();
    private PromptImages? _prompt;

    // Llama 4: per picture the embeddings of its patches.
    private Tensor[] _values = [];

    /// <summary>For a forward pass of a Llama 3.2 Vision: null where the text has no pictures.</summary>
    public IReadOnlyList<CrossStates?>? States => _states[0] is null ? null : _states;

    /// <summary>Bytes of keys and values, or of embeddings.</summary>
    public long ByteLength => (_states[0]?.ByteLength ?? 0) + _values.Sum(static v => v.ByteLength);

    /// <summary>Whether the text has pictures.</summary>
    public bool Any => _prompt is not null;

    /// <summary>How much of a text that begins as the session's does can be kept: up to the first token of a picture that is another one now.</summary>
    /// <param name="same">Tokens that both begin with.</param>
    /// <param name="next">The new text's pictures, or null.</param>
    public int Reusable(int same, PromptImages? next)
    {
        int images = 0;
        while (next is not null && _prompt is not null && images < Math.Min(next.Images.Count, _prompt.Images.Count) && Same(next.Images[images], _prompt.Images[images]))
        {
            images++;
        }

        same = _prompt?.Reusable(same, images) ?? same;
        return next?.Reusable(same, images) ?? same;
    }

    /// <summary>Takes a text's pictures. Nothing changes where an exception is thrown.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ops">The device.</param>
    /// <param name="next">The text's pictures, or null.</param>
    /// <param name="type">What keys and values are rounded to.</param>
    /// <param name="cancel">Stops between pictures.</param>
    /// <exception cref="PunaException">The model's encoder cannot be loaded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void Set(LanguageModel model, CpuOps ops, PromptImages? next, DType type, CancellationToken cancel)
    {
        if (next is null)
        {
            Dispose();
        }
        else if (next.Mask is { } mask)
        {
            See(model, ops, next, mask, type);
        }
        else
        {
            // Pictures that were there before are not looked at again, wherever they stood.
            var values = new Tensor[next.Images.Count];
            for (int i = 0; i < values.Length; i++)
            {
                cancel.ThrowIfCancellationRequested();
                int known = _prompt is null ? -1 : Enumerable.Range(0, _prompt.Images.Count).FirstOrDefault(old => Same(_prompt.Images[old], next.Images[i]), -1);
                values[i] = known >= 0 ? _values[known] : ImageEncoder.Encode(model, ops, next.Images[i]);
            }

            (_values, _prompt) = (values, next);
        }
    }

    /// <summary>What a pass over some of the text's tokens takes from the pictures of a Llama 4.</summary>
    /// <param name="ops">The device; the result lives in its current scope.</param>
    /// <param name="first">First token of the pass.</param>
    /// <param name="count">Number of tokens.</param>
    public Models.SoftTokens? Soft(CpuOps ops, int first, int count)
    {
        if (_values.Length == 0)
        {
            return null;
        }

        _soft.Clear();
        _prompt!.AddSoft(_soft, 0, first, count, _values);
        return _soft.Gather(ops);
    }

    /// <summary>Forgets all pictures.</summary>
    public void Dispose()
    {
        _states[0]?.Dispose();
        _states[0] = null;
        _prompt = null;
        _values = [];
    }

    private void See(LanguageModel model, CpuOps ops, PromptImages next, CrossMask mask, DType type)
    {
        bool isSame = _states[0] is not null && next.Images.Count == _prompt!.Images.Count && next.Images.Zip(_prompt.Images).All(static pair => Same(pair.First, pair.Second));
        if (isSame && _states[0]!.TryMove(mask) is { } moved)
        {
            _states[0] = moved;
        }
        else
        {
            MllamaImage[] tiles = [.. next.Images.Select(image => PromptImages.InTiles(model.Llama.Config.Vision!, image))];
            CrossStates states = CrossStates.Compute(model.Llama, ops, tiles, mask, type);
            _states[0]?.Dispose();
            _states[0] = states;
        }

        _prompt = next;
    }

    private static bool Same(TiledImage a, TiledImage b) => ReferenceEquals(a, b) || (a.Grid == b.Grid && a.Pixels.AsSpan().SequenceEqual(b.Pixels));
}
