namespace Puna.Training.Data.Altiplano;

/// <summary>Something drawn in a picture. Nothing is drawn over it.</summary>
/// <param name="Kind">What it is: <c>llama</c>, <c>circle</c>.</param>
/// <param name="Colour">The name of its colour.</param>
/// <param name="Where">Where it is: <c>left</c>, <c>top right</c>.</param>
/// <param name="Left">Smallest column of its box.</param>
/// <param name="Top">Smallest row of its box.</param>
/// <param name="Width">Columns of its box.</param>
/// <param name="Height">Rows of its box.</param>
/// <param name="Rgb">Its colour, red in the highest of three bytes; no other kind of thing in the picture has it.</param>
/// <param name="Pixels">How many pixels of the picture belong to it.</param>
public sealed record PictureObject(string Kind, string Colour, string Where, int Left, int Top, int Width, int Height, int Rgb, int Pixels);
