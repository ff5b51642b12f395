using Puna.Training.Data.Altiplano;

namespace Puna.Training.Tests.Data.Altiplano;

/// <summary>The held-out combinations are really held out, and pictures show what their captions say.</summary>
public sealed class PlacedPicturesTests
{
    private const int Many = 3000;

    [Fact]
    public void CombinationsOfTheExamNeverOccurInTrainingAndTheirPartsDo()
    {
        HashSet<(string, string, string)> train = Combinations(SplitPart.Train), test = Combinations(SplitPart.Test);
        Assert.Empty(train.Intersect(test));

        // All of them occur: 6 x 6 x 4, a sixth of which is held out.
        Assert.Equal((120, 24), (train.Count, test.Count));

        // What is new in a held-out picture is the combination and nothing less.
        foreach ((string kind, string colour, string place) in test)
        {
            Assert.Contains(train, c => (c.Item1, c.Item2) == (kind, colour));
            Assert.Contains(train, c => (c.Item1, c.Item3) == (kind, place));
            Assert.Contains(train, c => (c.Item2, c.Item3) == (colour, place));
        }
    }

    [Theory]
    [InlineData(SplitPart.Train)]
    [InlineData(SplitPart.Test)]
    public void CaptionsSayWhatIsDrawn(SplitPart part)
    {
        for (int i = 0; i < 200; i++)
        {
            AltiplanoPicture picture = PlacedPictures.Render(3, part, i, 4);
            Assert.Equal(picture.Rgb, PlacedPictures.Render(3, part, i, 4).Rgb);
            Assert.InRange(picture.Objects.Count, 1, 4);
            string[] said = picture.Caption.TrimEnd('.').Split(" and ");
            Assert.Equal(picture.Objects.Count, said.Length);
            for (int n = 0; n < said.Length; n++)
            {
                PictureObject thing = picture.Objects[n];
                Assert.EndsWith($"{thing.Colour} {thing.Kind} at the {thing.Where}", said[n], StringComparison.Ordinal);

                // Counted from the pixels: the thing's colour, in the quarter that its place names, nowhere but in its box.
                (int left, int top) = (thing.Where.EndsWith("right", StringComparison.Ordinal) ? 16 : 0, thing.Where.StartsWith("bottom", StringComparison.Ordinal) ? 16 : 0);
                int pixels = 0;
                for (int y = top; y < top + 16; y++)
                {
                    for (int x = left; x < left + 16; x++)
                    {
                        int at = ((y * 32) + x) * 3;
                        if (((picture.Rgb[at] << 16) | (picture.Rgb[at + 1] << 8) | picture.Rgb[at + 2]) == thing.Rgb)
                        {
                            Assert.InRange(x, thing.Left, thing.Left + thing.Width - 1);
                            Assert.InRange(y, thing.Top, thing.Top + thing.Height - 1);
                            pixels++;
                        }
                    }
                }

                Assert.Equal(thing.Pixels, pixels);
                Assert.True(pixels > 20);
            }
        }
    }

    private static HashSet<(string, string, string)> Combinations(SplitPart part) =>
        [.. Enumerable.Range(0, Many).SelectMany(i => PlacedPictures.Render(1, part, i, 2).Objects.Select(static o => (o.Kind, o.Colour, o.Where)))];
}
