namespace Puna.Formats.Images;

/// <summary>A decoded picture: 8-bit red, green and blue, transparency already put on white.</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Pixels"><c>[height, width, 3]</c> bytes.</param>
public sealed record RgbImage(int Width, int Height, byte[] Pixels);
