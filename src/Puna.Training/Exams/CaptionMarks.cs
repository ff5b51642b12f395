using Puna.Training.Data.Altiplano;

namespace Puna.Training.Exams;

/// <summary>What is right in captions of <see cref="PlacedPictures"/>. Things are compared in reading order; one that is left out or made up is wrong in every way.</summary>
/// <param name="Pictures">Captions.</param>
/// <param name="Things">Things in the pictures, and in captions that say more than there are, these too.</param>
/// <param name="Objects">Of these, things that are what the caption says.</param>
/// <param name="Colours">Things with the colour that the caption says.</param>
/// <param name="Places">Things where the caption says.</param>
/// <param name="Exact">Captions that are the picture's own, letter by letter.</param>
public sealed record CaptionMarks(int Pictures, int Things, int Objects, int Colours, int Places, int Exact)
{
    /// <summary>Nothing marked yet.</summary>
    public static CaptionMarks None { get; } = new(0, 0, 0, 0, 0, 0);

    /// <summary>These marks and those of one more caption.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="caption">What was said of it.</param>
    public CaptionMarks With(AltiplanoPicture picture, string caption)
    {
        string[] said = caption.TrimEnd('.').Split(" and ", StringSplitOptions.RemoveEmptyEntries);
        int objects = 0, colours = 0, places = 0;
        for (int i = 0; i < Math.Min(said.Length, picture.Objects.Count); i++)
        {
            // a, colour, thing, at, the, place
            string[] words = said[i].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            PictureObject thing = picture.Objects[i];
            colours += words.Length > 1 && words[1] == thing.Colour ? 1 : 0;
            objects += words.Length > 2 && words[2] == thing.Kind ? 1 : 0;
            places += words.Length > 5 && string.Join(' ', words[5..]) == thing.Where ? 1 : 0;
        }

        return new CaptionMarks(
            Pictures + 1, Things + Math.Max(said.Length, picture.Objects.Count), Objects + objects, Colours + colours, Places + places, Exact + (caption == picture.Caption ? 1 : 0));
    }
}
