using Puna.Tensors;

namespace Puna.Text.Chat;

/// <summary>
/// The tokens that stand for a picture. Llama 3.2 Vision: <c>&lt;|image|&gt;</c> (spec llama1-3.md 6.8). Llama 4 (spec llama4.md 4.8): the patches of each tile, separators between
/// tiles and after each row, then <c>&lt;|image|&gt;</c> and the patches of the thumbnail, or of the only tile.
/// </summary>
public static class ImageTokens
{
    internal const string Image = "<|image|>";
    private const string Patch = "<|patch|>";

    // Meta's tokenizer of Llama 3.1 and later has the token among the reserved ones; the model knows it as the first id behind the vocabulary (spec llama1-3.md 5.4).
    private const int PlaceAmongSpecials = 11;
    private const int Specials = 256;

    /// <summary>Whether pictures are laid out tile by tile, as Llama 4 has them.</summary>
    /// <param name="tokenizer">The model's.</param>
    public static bool AreTiled(Tokenizer tokenizer) => tokenizer.IdOf(Patch) is not null;

    /// <summary>The ids of a picture.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <exception cref="PunaException">The tokenizer has no tokens for pictures.</exception>
    public static int[] Of(ChatImage image, Tokenizer tokenizer)
    {
        var pieces = new List<ChatPiece>();
        Write(image, AreTiled(tokenizer), pieces);
        return [.. pieces.Select(piece => Id(piece.Text, tokenizer) ?? throw new PunaException($"tokenizer: expected a token {piece.Text}, got none"))];
    }

    /// <summary>The id of a control token, that of a picture as the model knows it.</summary>
    internal static int? Id(string name, Tokenizer tokenizer)
    {
        int? id = tokenizer.IdOf(name);
        return name == Image && id == tokenizer.BosId + PlaceAmongSpecials ? tokenizer.BosId + Specials : id;
    }

    internal static void Write(ChatImage image, bool isTiled, List<ChatPiece> pieces)
    {
        if (!isTiled)
        {
            pieces.Add(ChatPiece.Control(Image));
            return;
        }

        ChatPiece patch = ChatPiece.Control(Patch);
        pieces.Add(ChatPiece.Control("<|image_start|>"));
        for (int tile = 0; image.Rows * image.Columns > 1 && tile < image.Rows * image.Columns; tile++)
        {
            pieces.AddRange(Enumerable.Repeat(patch, image.PatchesPerTile));
            pieces.Add(ChatPiece.Control((tile + 1) % image.Columns == 0 ? "<|tile_y_separator|>" : "<|tile_x_separator|>"));
        }

        pieces.Add(ChatPiece.Control(Image));
        pieces.AddRange(Enumerable.Repeat(patch, image.PatchesPerTile));
        pieces.Add(ChatPiece.Control("<|image_end|>"));
    }

    /// <summary>A message's pictures and text, in order; each stretch of text is tokenised by itself.</summary>
    internal static void WriteContent(ChatMessage message, bool isTiled, List<ChatPiece> pieces)
    {
        int at = 0;
        foreach (ChatImage image in message.Images)
        {
            if (image.At > at)
                pieces.Add(ChatPiece.Of(message.Content[at..image.At]));
            Write(image, isTiled, pieces);
            at = image.At;
        }

        pieces.Add(ChatPiece.Of(message.Content[at..]));
    }

    /// <summary>Puts pictures where a rendered template has <see cref="Image"/> for each, which for Llama 3.2 Vision is all there is.</summary>
    /// <param name="rendered">The template's pieces.</param>
    /// <param name="messages">The messages, whose pictures come in order.</param>
    /// <param name="isTiled">Whether pictures are laid out tile by tile.</param>
    /// <exception cref="PunaException">The template does not show each picture once.</exception>
    internal static List<ChatPiece> Expand(List<ChatPiece> rendered, IReadOnlyList<ChatMessage> messages, bool isTiled)
    {
        var images = new Queue<ChatImage>(messages.SelectMany(message => message.Images));
        int expected = images.Count, found = rendered.Count(IsImage);
        if (expected == 0)
            return rendered;
        if (found != expected)
            throw new PunaException($"messages: expected a template that writes {Image} for each of the {expected} images, got one that writes it {found} times");
        var pieces = new List<ChatPiece>();
        foreach (ChatPiece piece in rendered)
        {
            if (IsImage(piece))
                Write(images.Dequeue(), isTiled, pieces);
            else
                pieces.Add(piece);
        }

        return pieces;

        static bool IsImage(ChatPiece piece) => piece is { Kind: ChatPieceKind.Control, Text: Image };
    }
}
