namespace Puna.Training.Data.Altiplano;

/// <summary>Little pictures without end, of shapes and of scenes of the altiplano; each is a pure function of a seed and an index.</summary>
public static class AltiplanoPictures
{
    /// <summary>Columns and rows of every picture.</summary>
    public const int Size = 64;

    private const uint Stream = 16;

    /// <summary>Draws a picture.</summary>
    /// <param name="seed">Of the world.</param>
    /// <param name="index">Which picture, 0 or more.</param>
    public static AltiplanoPicture Render(ulong seed, long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var dice = new Dice(seed, Stream, index);
        var canvas = new Canvas(Size, Size);
        var objects = new List<PictureObject>();
        string caption = dice.Chance(40) ? ShapePicture.Draw(dice, canvas, objects) : ScenePicture.Draw(dice, canvas, objects);
        return new AltiplanoPicture(index, Size, Size, canvas.Rgb, caption, objects, PictureQuestions.About(objects));
    }
}
