using System.Text;

namespace Puna.Training.Data.Altiplano;

/// <summary>
/// The memory game that children of the world play: each repeats the whole list and adds a word. Texts for learning to look back: a model that has seen a few million words of stories alone
/// knows how stories go, but not yet that a person keeps her name.
/// </summary>
public static class MemoryGame
{
    private const uint Stream = 7;
    private const int FewestWords = 6;
    private const int MostWords = 13;

    private static readonly string[] Words =
        [.. WorldTables.Women, .. WorldTables.Men, .. WorldTables.Llamas, .. WorldTables.Villages, .. WorldTables.Colours, .. WorldTables.Tempers, .. WorldTables.Places.Select(static p => p.Name)];

    /// <summary>Tells one game.</summary>
    /// <param name="seed">Of the world.</param>
    /// <param name="index">Which game, 0 or more.</param>
    public static string Tell(ulong seed, long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var dice = new Dice(seed, Stream, index);
        string[] names = [.. WorldTables.Women, .. WorldTables.Men];
        dice.Shuffle<string>(names);
        string[] words = [.. Words];
        dice.Shuffle<string>(words);
        int count = dice.Between(FewestWords, MostWords);
        string opening = dice.Pick("played the memory game", "were playing the memory game", "sat in the shade and played the memory game", "played the memory game until supper");
        var text = new StringBuilder($"{names[0]} and {names[1]} {opening}.");
        for (int i = 1; i <= count; i++)
        {
            text.Append($" \"{English.Capital(string.Join(", ", words.Take(i)))},\" said {names[(i - 1) % 2]}.");
        }

        text.Append($" Then {names[count % 2]} forgot {words[dice.Below(count)]}, and {names[(count + 1) % 2]} won the game.");
        return text.ToString();
    }
}
