using Puna.Formats.Images;
using Puna.Models;
using Puna.Models.Vision;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Runtime.Chat;

/// <summary>
/// The pictures of conversations: laid out by what their headers say, and decoded and cut into tiles only where the engine is asked, as many at a time as there are processors (a large one takes much
/// memory meanwhile) and as many together as the engine takes of them. Thread-safe.
/// </summary>
/// <param name="engine">The engine, whose model and limits count.</param>
internal sealed class ConversationImages(Engine engine)
{
    private readonly SemaphoreSlim _turns = new(Environment.ProcessorCount);

    /// <summary>What decoded pictures may take: as much as <see cref="EngineOptions.ImageBytes"/> allows requests.</summary>
    public PixelBudget Budget { get; } = new(engine.Options.ImageBytesOrDefault);

    /// <summary>Looks at the headers of the pictures of a conversation.</summary>
    /// <param name="messages">The conversation.</param>
    /// <returns>The conversation, whose pictures now say how many tokens stand for them, and the pictures in order.</returns>
    /// <exception cref="InvalidImageException">The model does not see, there are too many pictures, or one is none.</exception>
    public (IReadOnlyList<ChatMessage> Messages, IReadOnlyList<PictureFile> Files) Lay(IReadOnlyList<ChatMessage> messages)
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
        var files = new List<PictureFile>(count);
        for (int m = 0; m < messages.Count; m++)
        {
            ChatMessage message = messages[m];
            var places = new ChatImage[message.Images.Count];
            for (int i = 0; i < places.Length; i++)
            {
                PictureFile file = Lay(message.Images[i], $"picture {i + 1} of message {m + 1}", processor);
                files.Add(file);
                places[i] = message.Images[i] with { Rows = file.Grid.Rows, Columns = file.Grid.Columns, PatchesPerTile = config.Llama4?.Vision?.TokensPerTile ?? 1, Data = null };
            }

            laid.Add(places.Length == 0 ? message : message with { Images = places });
        }

        return (laid, files);
    }

    /// <summary>Decodes pictures and cuts them into tiles. Their bytes are to be counted before (<see cref="Budget"/>).</summary>
    /// <param name="files">The pictures.</param>
    /// <param name="cancel">Stops between pictures.</param>
    /// <exception cref="InvalidImageException">One cannot be read.</exception>
    public async Task<IReadOnlyList<TiledImage>> DecodeAsync(IReadOnlyList<PictureFile> files, CancellationToken cancel)
    {
        var tiles = new TiledImage[files.Count];
        for (int i = 0; i < tiles.Length; i++)
        {
            PictureFile file = files[i];
            await _turns.WaitAsync(cancel).ConfigureAwait(false);
            try
            {
                tiles[i] = engine.Model.Images!.Process(ImageReader.Decode(file.Data, file.Name, engine.Options.ImageLimits));
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

        return tiles;
    }

    private PictureFile Lay(ChatImage image, string name, ImageProcessor processor)
    {
        byte[] data = image.Data ?? throw new InvalidImageException($"{name}: expected its file, got none");
        try
        {
            (int width, int height) = ImageReader.Size(data, name, engine.Options.ImageLimits);
            (TileGrid grid, int tiles) = processor.Lay(height, width);
            return new PictureFile(name, data, grid, (long)tiles * 3 * processor.Side * processor.Side * sizeof(float));
        }
        catch (PunaException e)
        {
            throw new InvalidImageException(e.Message, e);
        }
    }
}
