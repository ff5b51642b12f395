namespace Puna.Text.Chat;

/// <summary>A picture's place in a message, and how many tokens stand for it. Llama 3.2 Vision has one token for a picture; Llama 4 has one for each patch of each tile.</summary>
/// <param name="Rows">Rows of tiles.</param>
/// <param name="Columns">Columns of tiles.</param>
/// <param name="PatchesPerTile">Llama 4: tokens of a tile.</param>
public sealed record ChatImage(int Rows = 1, int Columns = 1, int PatchesPerTile = 144)
{
    /// <summary>The picture's file (PNG, GIF, JPEG or WebP), for those who read it themselves and then know its tiles; null where only its place is told.</summary>
    public byte[]? Data { get; init; }

    /// <summary>How many UTF-16 units of the message's content come before it; 0, before the text, is where the models expect it.</summary>
    public int At { get; init; }
}
