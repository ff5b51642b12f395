using Puna.Models.Vision;

namespace Puna.Runtime.Chat;

/// <summary>A picture of a conversation that is not decoded yet.</summary>
/// <param name="Name">What to call it in messages.</param>
/// <param name="Data">Its file.</param>
/// <param name="Grid">How it will be laid out.</param>
/// <param name="PixelBytes">Bytes of its tiles.</param>
internal sealed record PictureFile(string Name, byte[] Data, TileGrid Grid, long PixelBytes);
