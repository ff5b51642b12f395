using Puna.Training.Data.Altiplano;
using Puna.Training.Exams;

namespace Puna.Training.Tests.Exams;

/// <summary>Marks counted by hand.</summary>
public sealed class CaptionMarksTests
{
    private const string Truth = "A red circle at the top left and an orange llama at the bottom right.";

    [Theory]
    [InlineData(Truth, 2, 2, 2, 2, 1)]
    [InlineData("A red square at the top left and an orange llama at the bottom left.", 2, 1, 2, 1, 0)]
    [InlineData("A red circle at the top left.", 2, 1, 1, 1, 0)]
    [InlineData("A red circle at the top left and an orange llama at the bottom right and a blue house at the top right.", 3, 2, 2, 2, 0)]
    [InlineData("An orange llama at the bottom right and a red circle at the top left.", 2, 0, 0, 0, 0)]
    [InlineData("", 2, 0, 0, 0, 0)]
    [InlineData("red circle and llama", 2, 0, 0, 0, 0)]
    public void OneCaption(string caption, int things, int objects, int colours, int places, int exact)
    {
        var picture = new AltiplanoPicture(0, 32, 32, [], Truth, [Thing("circle", "red", "top left"), Thing("llama", "orange", "bottom right")], []);
        Assert.Equal(new CaptionMarks(1, things, objects, colours, places, exact), CaptionMarks.None.With(picture, caption));
    }

    private static PictureObject Thing(string kind, string colour, string where) => new(kind, colour, where, 0, 0, 1, 1, 0, 1);
}
