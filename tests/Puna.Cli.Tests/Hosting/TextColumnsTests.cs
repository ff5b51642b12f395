using Puna.Cli.Hosting;

namespace Puna.Cli.Tests.Hosting;

public class TextColumnsTests
{
    // Widths as Unicode's East_Asian_Width gives them; a cluster is as wide as its base.
    [Theory]
    [InlineData("", 0)]
    [InlineData("llama", 5)]
    [InlineData("ñandú", 5)]
    [InlineData("n\u0303", 1)]
    [InlineData("羊駝", 4)]
    [InlineData("한글", 4)]
    [InlineData("ｗｉｄｅ", 8)]
    [InlineData("🦙", 2)]
    [InlineData("👩\u200D🌾", 2)]
    public void CountsWhatATerminalShows(string text, int columns) => Assert.Equal(columns, TextColumns.Of(text));

    [Fact]
    public void AStepIsACharacterOfTheUsers()
    {
        const string Text = "a🦙n\u0303b";
        int[] places = [0, 1, 3, 5, 6];
        for (int i = 0; i + 1 < places.Length; i++)
        {
            Assert.Equal(places[i + 1], TextColumns.Next(Text, places[i]));
            Assert.Equal(places[i], TextColumns.Previous(Text, places[i + 1]));
        }

        Assert.Equal((6, 0), (TextColumns.Next(Text, 6), TextColumns.Previous(Text, 0)));
    }
}
