using System.Text;
using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>Normalisation does what it says, once. The checksums are those of Python's unicodedata (Unicode 14.0) over the same strings.</summary>
public class TextNormalizationTests
{
    private static readonly TextNormalization _all = new();

    [Fact]
    public void EveryCodePointHasItsNormalFormC()
    {
        ulong hash = 0xcbf29ce484222325;
        for (int c = 0; c < 0x110000; c++)
        {
            if (Rune.IsValid(c))
            {
                hash = Fnv(Composer.Compose(new Rune(c).ToString()), hash);
            }
        }

        Assert.Equal(0x25cd4d3e1581e5caUL, hash);
    }

    [Fact]
    public void MarksAreOrderedAndComposedAndBlocked()
    {
        ulong hash = 0xcbf29ce484222325;
        for (int c = 0x20; c < 0x3000; c++)
        {
            foreach (string marks in new[] { "\u0301", "\u0323\u0302", "\u0302\u0323", "\u0345\u0301\u0327", "\u3099", "\u1161\u11a8" })
            {
                hash = Fnv(Composer.Compose((char)c + marks + 'a'), hash);
            }
        }

        Assert.Equal(0xbfd517d5b8f21019UL, hash);
    }

    [Fact]
    public void HangulComesBack()
    {
        ulong hash = 0xcbf29ce484222325;
        for (int c = 0xAC00; c <= 0xD7A3; c++)
        {
            int index = c - 0xAC00;
            string parts = $"{(char)(0x1100 + (index / 588))}{(char)(0x1161 + (index % 588 / 28))}{(index % 28 > 0 ? ((char)(0x11A7 + (index % 28))).ToString() : "")}\u11A8";
            hash = Fnv(Composer.Compose(parts), hash);
        }

        Assert.Equal(0xb6f6dd647d62532eUL, hash);
    }

    [Theory]
    [InlineData("a\r\nb\rc\u2028d\u0085e", "a\nb\nc\nd\ne")]
    [InlineData("\uFEFFa\0b\u0007c\td\u009F", "abc\td")]
    [InlineData("a  \nb\t\n\n c ", "a\nb\n\n c")]
    [InlineData("\n\n \na\n\n\n", "a")]
    [InlineData("e\u0301", "é")]
    [InlineData("naïve café", "naïve café")]
    [InlineData("", "")]
    [InlineData(" \n\t", "")]
    public void EachStep(string text, string expected) => Assert.Equal(expected, _all.Apply(text));

    [Fact]
    public void StepsCanBeLeftOut()
    {
        const string Text = "e\u0301\r\n\0x \n";
        Assert.Equal(Text, new TextNormalization(false, false, false, false).Apply(Text));
        Assert.Equal("é\r\n\0x \n", new TextNormalization(true, false, false, false).Apply(Text));
        Assert.Equal("e\u0301\n\0x \n", new TextNormalization(false, true, false, false).Apply(Text));
        Assert.Equal("e\u0301\r\nx \n", new TextNormalization(false, false, true, false).Apply(Text));
        Assert.Equal("e\u0301\r\n\0x", new TextNormalization(false, false, false, true).Apply(Text));
    }

    [Fact]
    public void TwiceIsOnce()
    {
        var random = new Random(1);
        const string Alphabet = "ab \t\n\r\u0301\u0323é\u1100\u1161\u11A8\uFEFF\0\u2028\u0085";
        for (int i = 0; i < 3000; i++)
        {
            string text = new([.. Enumerable.Range(0, random.Next(20)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            string once = _all.Apply(text);
            Assert.Equal(once, _all.Apply(once));
        }
    }

    [Fact]
    public void ManyMarksAreOrderedInTime()
    {
        string marks = string.Concat(Enumerable.Repeat("\u0301\u0323", 100_000));
        Assert.Equal(200_000, Composer.Compose("q" + marks).Length - 1);
    }

    private static ulong Fnv(string text, ulong hash)
    {
        foreach (char c in text)
        {
            hash = unchecked((hash ^ c) * 0x100000001B3);
        }

        return hash;
    }
}
