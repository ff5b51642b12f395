using Puna.Text.Training;

namespace Puna.Text.Tests.Training;

/// <summary>Scripts of characters, as the Unicode Character Database has them.</summary>
public sealed class UnicodeScriptsTests
{
    /// <summary>Letters of one script, the first and the last of each range among them, and neighbours that are none.</summary>
    [Theory]
    [InlineData("AZazªºÀÖØöøɏḀỿＡｚⅠ")]
    [InlineData("ΑΩαωϰἀῼ")]
    [InlineData("АЯаяѐЁԀᲀꙀ")]
    [InlineData("אתװ")]
    [InlineData("ابيءۀݐ")]
    [InlineData("ぁんゝゞ")]
    [InlineData("ァヺヽㇰｱ")]
    [InlineData("一鿿々〇㐀豈𠀀")]
    [InlineData("가힣ᄀㄱ")]
    [InlineData("กฮ๐")]
    [InlineData("अहक़्०")]
    [InlineData("ሀቈ፩")]
    public void Letters_of_one_script_have_one_number(string letters)
    {
        int[] scripts = [.. letters.EnumerateRunes().Select(static r => UnicodeScripts.Of(r.Value)).Distinct()];
        Assert.Single(scripts);
        Assert.True(scripts[0] > UnicodeScripts.Inherited);
    }

    [Fact]
    public void Different_scripts_have_different_numbers()
    {
        int[] scripts = [.. "aαаאاあア一가กअሀ".EnumerateRunes().Select(static r => UnicodeScripts.Of(r.Value))];
        Assert.Equal(scripts.Length, scripts.Distinct().Count());
        Assert.Equal((scripts[7], scripts[5], scripts[6]), (UnicodeScripts.Han, UnicodeScripts.Hiragana, UnicodeScripts.Katakana));
    }

    [Theory]
    [InlineData(" 09!@[`{~\u00A0×÷▁—、。ー「」０！🦙\U0001D400\t\n", UnicodeScripts.Common)]
    [InlineData("\u0300\u036F\u200C\u200D\uFE0F\u3099\u064B\u20D0", UnicodeScripts.Inherited)]
    public void What_several_scripts_share_has_none_of_its_own(string text, int expected)
    {
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            Assert.True(UnicodeScripts.Of(rune.Value) == expected, $"U+{rune.Value:X4}");
        }
    }
}
