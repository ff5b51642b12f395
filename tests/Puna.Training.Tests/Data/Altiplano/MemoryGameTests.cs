using Puna.Training.Data.Altiplano;

namespace Puna.Training.Tests.Data.Altiplano;

/// <summary>Every turn repeats the one before and adds one word; the winner is the other one.</summary>
public sealed class MemoryGameTests
{
    [Fact]
    public void EveryTurnRepeatsAndAdds()
    {
        for (int index = 0; index < 200; index++)
        {
            string text = MemoryGame.Tell(1, index);
            Assert.Equal(text, MemoryGame.Tell(1, index));
            string[] parts = text.Split('"');
            string[] before = [];
            for (int i = 1; i < parts.Length; i += 2)
            {
                string[] words = parts[i].TrimEnd(',').Split(", ");
                Assert.Equal(before.Length + 1, words.Length);
                Assert.Equal(before, words[..^1]);
                Assert.DoesNotContain(words[^1], before);
                before = words;
            }

            Assert.InRange(before.Length, 6, 13);
            Assert.EndsWith("won the game.", text, StringComparison.Ordinal);
        }

        Assert.NotEqual(MemoryGame.Tell(1, 0), MemoryGame.Tell(2, 0));
    }
}
