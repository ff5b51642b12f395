using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>
/// Pictures: a request that is taken up waits, beside the others, until another thread has encoded its pictures (<see cref="ImageStore"/>); then its prompt is read like any other. What it
/// holds in the store it gives back when it ends or is set back.
/// </summary>
internal sealed partial class EngineLoop
{
    private readonly SoftRows _soft = new();
    private readonly List<CrossStates?> _crossed = [];
    private bool _isCrossed;

    /// <summary>What was made of pictures; null where the model does not see.</summary>
    public ImageStore? Images { get; }

    /// <summary>Begins to read the prompts of requests whose pictures are encoded.</summary>
    private void OpenEncoded()
    {
        for (int i = _running.Count - 1; i >= 0; i--)
        {
            ActiveRequest request = _running[i];
            if (!request.IsEncoding || !request.Images!.IsReady)
            {
                continue;
            }

            request.IsEncoding = false;
            if (request.Images.Open() is { } error)
            {
                End(request, error as PunaException ?? new PunaException($"images: cannot be encoded: {error.Message}", error));
            }
            else
            {
                Open(request);
            }
        }
    }

    /// <summary>Gives back what a request's pictures hold.</summary>
    private void Close(ActiveRequest request)
    {
        if (request.Images is { } images)
        {
            request.IsEncoding = false;
            images.Close();
            Images!.Release(images);
        }
    }

    /// <summary>Adds what a text of the coming pass sees.</summary>
    /// <param name="sequence">The text.</param>
    /// <param name="row">Its first row in the pass.</param>
    /// <param name="first">Its first token in the pass.</param>
    /// <param name="count">Number of tokens.</param>
    private void AddImages(ActiveSequence sequence, int row, int first, int count)
    {
        RequestImages? images = sequence.Owner.Images;
        _crossed.Add(images?.States);
        _isCrossed |= images?.States is not null;
        if (images is { Values.Count: > 0 })
        {
            images.Prompt.AddSoft(_soft, row, first, count, images.Values);
        }
    }
}
