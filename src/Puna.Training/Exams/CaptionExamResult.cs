using System.Globalization;
using System.Text;
using System.Text.Json;
using Puna.Training.Data.Altiplano;

namespace Puna.Training.Exams;

/// <summary>The result of an exam in captions.</summary>
/// <param name="Marks">Captions against their own pictures.</param>
/// <param name="Shuffled">The same captions, each against the next picture: what a model gets that speaks well and does not look.</param>
/// <param name="Samples">The first pictures' own captions with those of the model.</param>
public sealed record CaptionExamResult(CaptionMarks Marks, CaptionMarks Shuffled, IReadOnlyList<(string Truth, string Said)> Samples)
{
    /// <summary>Share of things a guess gets right, in percent, where it knows how many there are.</summary>
    private static double ObjectChance => 100.0 / PlacedPictures.Kinds.Count;

    private static double ColourChance => 100.0 / PlacedPictures.Colours.Count;

    private static double PlaceChance => 100.0 / PlacedPictures.Places.Count;

    /// <summary>A table in Markdown.</summary>
    public string Table()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"| {Marks.Pictures} held-out pictures, {Marks.Things} things | right | guessing | beside another picture |\n| --- | --- | --- | --- |\n");
        foreach ((string what, double right, double chance, double shuffled) in Rows())
        {
            text.Append(CultureInfo.InvariantCulture, $"| {what} | {right:F1} % | {chance:F1} % | {shuffled:F1} % |\n");
        }

        return text.ToString();
    }

    /// <summary>The same as JSON, percentages from 0 to 100.</summary>
    public byte[] ToJson()
    {
        using var output = new MemoryStream();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("pictures", Marks.Pictures);
            json.WriteNumber("things", Marks.Things);
            foreach ((string what, double right, double chance, double shuffled) in Rows())
            {
                json.WriteStartObject(what.Replace(' ', '_'));
                json.WriteNumber("right", right);
                json.WriteNumber("chance", chance);
                json.WriteNumber("shuffled", shuffled);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        output.WriteByte((byte)'\n');
        return output.ToArray();
    }

    private IEnumerable<(string What, double Right, double Chance, double Shuffled)> Rows()
    {
        yield return ("objects", Percent(Marks.Objects, Marks.Things), ObjectChance, Percent(Shuffled.Objects, Shuffled.Things));
        yield return ("colours", Percent(Marks.Colours, Marks.Things), ColourChance, Percent(Shuffled.Colours, Shuffled.Things));
        yield return ("places", Percent(Marks.Places, Marks.Things), PlaceChance, Percent(Shuffled.Places, Shuffled.Things));
        // Of one thing: the chance that all three are guessed.
        yield return ("exact captions", Percent(Marks.Exact, Marks.Pictures), ObjectChance * ColourChance * PlaceChance / 1e4, Percent(Shuffled.Exact, Shuffled.Pictures));
    }

    private static double Percent(int count, int all) => all == 0 ? 0 : 100.0 * count / all;
}
