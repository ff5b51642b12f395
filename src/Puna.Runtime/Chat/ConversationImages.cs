using Puna.Formats.Images;
using Puna.Models;
using Puna.Models.Vision;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Runtime.Chat;

/// <summary>Decodes the pictures of conversations and cuts them into tiles, as many at a time as there are processors: a large one takes much memory meanwhile. Thread-safe.</summary>
/// <param name="engine">The engine, whose model and limits count.</param>
internal sealed class ConversationImages(Engine engine)
{
    private readonly SemaphoreSlim _turns = new(Environment.ProcessorCount);

    /// <summary>Looks at the pictures of a conversation.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="cancel">Stops between pictures.</param>
    /// <returns>The conversation, whose pictures now say how many tokens stand for them, and the pictures in order.</returns>
    /// <exception cref="InvalidImageException">The model does not see, there are too many pictures, or one cannot be read.</exception>
    public (IReadOnlyList<ChatMessage> Messages, IReadOnlyList<TiledImage> Images) Read(IReadOnlyList<ChatMessage> messages, CancellationToken cancel)
    {
        int count = messages.Sum(static message => message.Images.Count);
        if (count == 0)
        {
            return (messages, []);
        }

        LlamaConfig config = engine.Model.Llama.Config;
        ImageProcessor processor = engine.Model.Images ?? throw new InvalidImageException($"images: expected text alone, got {count}, which {config.Name} does not see");
        if (count > engine.Options.MaxImages)
        {
            throw new InvalidImageException($"images: expected at most {engine.Options.MaxImages} in a request, got {count}");
        }

        var laid = new List<ChatMessage>(messages.Count);
        var tiles = new List<TiledImage>(count);
        for (int m = 0; m < messages.Count; m++)
        {
            ChatMessage message = messages[m];
            var places = new ChatImage[message.Images.Count];
            for (int i = 0; i < places.Length; i++)
            {
                TiledImage tiled = Read(message.Images[i], $"picture {i + 1} of message {m + 1}", processor, cancel);
                tiles.Add(tiled);
                places[i] = message.Images[i] with { Rows = tiled.Grid.Rows, Columns = tiled.Grid.Columns, PatchesPerTile = config.Llama4?.Vision?.TokensPerTile ?? 1, Data = null };
            }

            laid.Add(places.Length == 0 ? message : message with { Images = places });
        }

        return (laid, tiles);
    }

    private TiledImage Read(ChatImage image, string name, ImageProcessor processor, CancellationToken cancel)
    {
        byte[] data = image.Data ?? throw new InvalidImageException($"{name}: expected its file, got none");
        _turns.Wait(cancel);
        try
        {
            return processor.Process(ImageReader.Decode(data, name, engine.Options.ImageLimits));
        }
        catch (PunaException e)
        {
            throw new InvalidImageException(e.Message, e);
        }
        finally
        {
            _turns.Release();
        }
    }
}
