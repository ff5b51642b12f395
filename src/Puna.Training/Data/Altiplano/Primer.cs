using System.Text;

namespace Puna.Training.Data.Altiplano;

/// <summary>
/// Texts of a first reading book: a few short sentences about one or two people of the world, who are called by their names nearly every time, and a question with its answer. A model that has
/// seen a few million words of stories alone knows how stories go, but not yet that a person keeps her name; here a name comes back after a few words, so that looking back is learned first.
/// </summary>
public static class Primer
{
    private const uint Stream = 7;
    private const int FewestSentences = 2;
    private const int MostSentences = 6;

    // [n] is the name, [he] and [his] its pronouns, [l] the name of the llama, [c] its colour, [v] the village, [t] a trait.
    private static readonly string[] Sentences =
    [
        "[n] lived in [v].", "[n] had a [c] llama.", "[n]'s llama was called [l].", "The whole village knew that [n] was [t].", "\"Good morning,\" said [n].", "[n] was happy.", "[n] went to the market.",
        "[n] looked at the sky.", "It was a good day for [n].", "The wind was strong, and [n] went home.", "In the evening, [n] came back.", "Nobody saw [n].", "Everybody in [v] knew [n].", "[n] laughed.",
        "Then [n] sat down.", "\"Where is [n]?\" asked the neighbour.", "[l] followed [n] everywhere.", "[n] and [l] walked home.", "[l], the [c] llama, waited for [n].", "The next morning, [n] got up early.",
        "[n] was tired, and [he] went to bed.", "[n] took [his] hat.", "\"Come in, the soup is hot,\" said [n].", "But [n] was not afraid.", "[n] gave [l] some hay.", "First [n] lit a candle.", "From then on, [n] was careful.",
    ];

    private static readonly (string Question, string Answer, string Told)[] Questions =
    [
        ("Where did [n] live?", "[v].", "[n] lived in [v]."),
        ("Who lived in [v]?", "[n].", "[n] lived in [v]."),
        ("What was the colour of [n]'s llama?", "[C].", "[n] had a [c] llama."),
        ("What was the name of [n]'s llama?", "[l].", "[n] had a llama named [l]."),
        ("Who had a llama named [l]?", "[n].", "[n] had a llama named [l]."),
    ];

    /// <summary>Tells one text.</summary>
    /// <param name="seed">Of the world.</param>
    /// <param name="index">Which text, 0 or more.</param>
    public static string Tell(ulong seed, long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var dice = new Dice(seed, Stream, index);
        int people = dice.Between(1, 2);
        var persons = new Person[people];
        string[] llamas = [.. WorldTables.Llamas];
        string[] villages = [.. WorldTables.Villages];
        dice.Shuffle<string>(llamas);
        dice.Shuffle<string>(villages);
        for (int i = 0; i < people; i++)
        {
            // The second one is of the other sex, so that pronouns say who is meant.
            bool woman = i == 0 ? dice.Chance(50) : !persons[0].Woman;
            persons[i] = new Person(dice.Pick<string>(woman ? WorldTables.Women : WorldTables.Men), woman, llamas[i], dice.Pick<string>(WorldTables.Colours), villages[i], dice.Pick<Trait>(WorldTables.Traits).Word);
        }

        var sentences = new List<string>();
        (string question, string answer, string told) = dice.Pick<(string, string, string)>(Questions);
        foreach (Person person in persons)
        {
            sentences.Add(person.Fill(told));
        }

        int count = dice.Between(FewestSentences, MostSentences);
        for (int i = 0; i < count; i++)
        {
            sentences.Add(persons[dice.Below(people)].Fill(dice.Pick<string>(Sentences)));
        }

        var text = new StringBuilder(string.Join(' ', sentences));
        Person asked = persons[dice.Below(people)];
        text.Append("\n\n").Append(asked.Fill(question)).Append(' ').Append(asked.Fill(answer));
        return text.ToString();
    }

    private readonly record struct Person(string Name, bool Woman, string Llama, string Colour, string Village, string Trait)
    {
        public string Fill(string sentence) => sentence.Replace("[n]", Name, StringComparison.Ordinal).Replace("[he]", Woman ? "she" : "he", StringComparison.Ordinal)
            .Replace("[his]", Woman ? "her" : "his", StringComparison.Ordinal).Replace("[l]", Llama, StringComparison.Ordinal).Replace("[c]", Colour, StringComparison.Ordinal)
            .Replace("[C]", English.Capital(Colour), StringComparison.Ordinal).Replace("[v]", Village, StringComparison.Ordinal).Replace("[t]", Trait, StringComparison.Ordinal);
    }
}
