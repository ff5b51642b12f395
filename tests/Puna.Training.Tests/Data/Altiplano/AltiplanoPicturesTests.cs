using Puna.Training.Data.Altiplano;

namespace Puna.Training.Tests.Data.Altiplano;

/// <summary>What the truth says is what the pixels show.</summary>
public sealed class AltiplanoPicturesTests
{
    private static readonly AltiplanoPicture[] Pictures = [.. Enumerable.Range(0, 600).Select(static i => AltiplanoPictures.Render(1, i))];

    [Fact]
    public void PicturesAreTheSameEverywhere() =>
        Assert.Equal("6bd0ba981850b3d2d9bb652ebc4957346bede8bf0fd32e95ecf703280db346c0", StoryTellerTests.Hash(Enumerable.Range(0, 100).Select(static i => AltiplanoPictures.Render(7, i)).Select(static p => Convert.ToHexString(p.Rgb) + p.Caption)));

    [Fact]
    public void PixelsOfEachObjectAreInItsBox()
    {
        foreach (AltiplanoPicture picture in Pictures)
        {
            Assert.Equal(picture.Width * picture.Height * 3, picture.Rgb.Length);
            foreach (PictureObject thing in picture.Objects)
            {
                Assert.Equal(thing.Pixels, Count(picture, thing.Rgb, thing.Left, thing.Top, thing.Width, thing.Height));
            }

            // All pixels of a colour belong to the objects that have it: none is missing from the truth, none covers another.
            foreach (IGrouping<int, PictureObject> colour in picture.Objects.GroupBy(static o => o.Rgb))
            {
                Assert.Equal(colour.Sum(static o => o.Pixels), Count(picture, colour.Key, 0, 0, picture.Width, picture.Height));
                Assert.Single(colour.Select(static o => o.Colour).Distinct());
            }
        }
    }

    [Fact]
    public void PlacesAreWhereTheBoxesAre()
    {
        foreach (PictureObject thing in Pictures.SelectMany(static p => p.Objects))
        {
            int x = thing.Left + (thing.Width / 2), y = thing.Top + (thing.Height / 2);
            string expected = thing.Kind is "circle" or "square" or "triangle" ? $"{(y < 32 ? "top" : "bottom")} {(x < 32 ? "left" : "right")}" : x < 21 ? "left" : x < 43 ? "middle" : "right";
            Assert.Equal(expected, thing.Where);
        }
    }

    [Fact]
    public void QuestionsFollowFromTheObjects()
    {
        foreach (AltiplanoPicture picture in Pictures)
        {
            Assert.NotEmpty(picture.Questions);
            foreach (AltiplanoQuestion question in picture.Questions)
            {
                PictureObject[] those = [.. picture.Objects.Where(o => o.Kind == question.Fact.Subject)];
                switch (question.Kind)
                {
                    case QuestionKind.HowMany:
                        Assert.Equal(those.Length, question.Fact.Number);
                        break;
                    case QuestionKind.Where:
                        Assert.Equal(Assert.Single(those).Where, question.Answer);
                        break;
                    default:
                        Assert.Equal(Assert.Single(those).Colour, question.Answer);
                        break;
                }
            }
        }
    }

    [Fact]
    public void CaptionsNameEveryObject()
    {
        foreach (AltiplanoPicture picture in Pictures)
        {
            Assert.EndsWith(".", picture.Caption, StringComparison.Ordinal);
            Assert.True(char.IsUpper(picture.Caption[0]));
            Assert.All(picture.Objects, o => Assert.Contains($"{o.Colour} {o.Kind}", picture.Caption, StringComparison.OrdinalIgnoreCase));
        }

        Assert.True(Pictures.Select(static p => p.Caption).Distinct().Count() > 450);
    }

    [Fact]
    public void PixmapsHaveTheirHeader()
    {
        byte[] ppm = Pictures[0].ToPpm();
        Assert.Equal("P6\n64 64\n255\n"u8.ToArray(), ppm[..13]);
        Assert.Equal(Pictures[0].Rgb, ppm[13..]);
    }

    private static int Count(AltiplanoPicture picture, int rgb, int left, int top, int width, int height)
    {
        int count = 0;
        for (int y = top; y < top + height; y++)
        {
            for (int x = left; x < left + width; x++)
            {
                int at = ((y * picture.Width) + x) * 3;
                count += ((picture.Rgb[at] << 16) | (picture.Rgb[at + 1] << 8) | picture.Rgb[at + 2]) == rgb ? 1 : 0;
            }
        }

        return count;
    }
}
