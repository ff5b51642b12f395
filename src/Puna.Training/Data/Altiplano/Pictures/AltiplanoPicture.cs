namespace Puna.Training.Data.Altiplano;

/// <summary>A picture with its caption and what is true in it.</summary>
/// <param name="Index">Which one it is.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Rgb">Three bytes per pixel, red, green, blue, row by row from the top, <c>[height, width, 3]</c>.</param>
/// <param name="Caption">One sentence that says what is to be seen.</param>
/// <param name="Objects">Everything drawn, from left to right as far as that can be said.</param>
/// <param name="Questions">Questions with the answers that the picture gives.</param>
public sealed record AltiplanoPicture(long Index, int Width, int Height, byte[] Rgb, string Caption, IReadOnlyList<PictureObject> Objects, IReadOnlyList<AltiplanoQuestion> Questions)
{
    /// <summary>The picture as a portable pixmap (PPM, type P6).</summary>
    public byte[] ToPpm()
    {
        byte[] header = global::System.Text.Encoding.ASCII.GetBytes($"P6\n{English.Digits(Width)} {English.Digits(Height)}\n255\n");
        return [.. header, .. Rgb];
    }
}
