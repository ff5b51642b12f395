using System.Globalization;

namespace Puna.Training.Data;

/// <summary>
/// Tells six languages of the Latin script apart (<c>en es fr de pt it</c>) by their function words and by letters that only some of them use; everything else is <see cref="Unknown"/>. It needs a
/// sentence or two; it is a sieve for documents, not a linguist.
/// </summary>
public static class LanguageIdentifier
{
    /// <summary>Any other language, or a text too short or too mixed to tell.</summary>
    public const string Unknown = "und";

    /// <summary>Only so many characters from the beginning are looked at.</summary>
    private const int MostCharacters = 20_000;

    /// <summary>Of a running text in one of the languages, a third to a half of the words are in its list; below this share nothing is claimed.</summary>
    private const double LeastShare = 0.15;

    private static readonly (string Code, string[] Words, string Letters)[] _languages =
    [
        ("en", Words("the be to of and that have with a in is it was for on are as you he she they his her this from at by not but we or an had were which there their been has would what who when will more if can so said them out about into some could than other its only then over also after did do my me your our"), ""),
        ("es", Words("el de que y la los en las un una por con para es no se del su al lo como más pero sus le ya o este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante todos uno les ni contra otros ese eso ante ellos había fue era está son he ha yo mi tu qué"), "ñ¿¡"),
        ("fr", Words("le la et les des un une dans que est pour qui du en pas ne sur au plus par ce avec il elle nous vous ils sont mais ou se sa son ses cette ces aux leur leurs été était être avoir fait comme tout tous aussi bien même où très peut sans entre deux je tu on y d'un d'une qu'il c'est n'est l'on après avant"), "œêâîûëù"),
        ("de", Words("der und die in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde wenn ich wir ihr mein kann doch schon unter wieder weil"), "äöüß"),
        ("pt", Words("o de que e a do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou quando muito nos já eu também só pelo pela até isso ela entre depois sem mesmo aos seus quem nas me esse eles você essa num nem suas meu às minha foi são está ser tem era há"), "ãõçâê"),
        ("it", Words("il di che e la in un per è non una sono del con si da le dei della i alla più nel lo anche gli come ma al ha questo delle se nella dal ci o stato essere suo su loro tutto quando solo dopo così perché ancora molto prima tra fra era ho mi ti hanno sua suoi degli dalla sulla io lui lei noi cui dove"), "ìòè"),
    ];

    // Word to a bit per language.
    private static readonly Dictionary<string, int> _words = Index();

    /// <summary>The languages that are known.</summary>
    public static IReadOnlyList<string> Languages { get; } = [.. Array.ConvertAll(_languages, static l => l.Code)];

    /// <summary>The eight stop words that a text of this language has some of: the first eight of its list; those of English for others.</summary>
    public static IReadOnlyList<string> StopWords(string language)
    {
        for (int i = 1; i < _languages.Length; i++)
        {
            if (_languages[i].Code == language)
            {
                return new ArraySegment<string>(_languages[i].Words, 0, 8);
            }
        }

        // Gopher's own: the be to of and that have with.
        return new ArraySegment<string>(_languages[0].Words, 0, 8);
    }

    /// <summary>The language of a text: a code of <see cref="Languages"/>, or <see cref="Unknown"/>.</summary>
    public static string Identify(ReadOnlySpan<char> text)
    {
        text = text[..Math.Min(text.Length, MostCharacters)];
        Span<double> scores = stackalloc double[_languages.Length];
        Span<char> lower = stackalloc char[12];
        scores.Clear();
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> words = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        int count = 0, latin = 0, letters = 0;
        for (int i = 0; i < text.Length;)
        {
            if (!char.IsLetter(text[i]))
            {
                i++;
                continue;
            }

            int start = i;
            while (i < text.Length && (char.IsLetter(text[i]) || IsMark(text[i]) || (text[i] is '\'' or '’' && i + 1 < text.Length && char.IsLetter(text[i + 1]))))
            {
                letters++;
                latin += text[i] < 0x250 ? 1 : 0;
                i++;
            }

            count++;
            Score(text[start..i], lower, words, scores);
        }

        return count == 0 || latin < 0.8 * letters ? Unknown : Best(scores, count);
    }

    private static void Score(ReadOnlySpan<char> word, Span<char> lower, Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> words, Span<double> scores)
    {
        if (word.Length <= lower.Length)
        {
            int length = word.ToLowerInvariant(lower);
            lower[..length].Replace('’', '\'');
            if (words.TryGetValue(lower[..length], out int languages))
            {
                // A word of several languages says less.
                double weight = 1.0 / int.PopCount(languages);
                for (int i = 0; i < scores.Length; i++)
                {
                    scores[i] += (languages >> i & 1) != 0 ? weight : 0;
                }
            }
        }

        for (int i = 0; i < scores.Length; i++)
        {
            if (word.IndexOfAny(_languages[i].Letters) >= 0)
            {
                scores[i] += 0.5;
            }
        }
    }

    private static string Best(ReadOnlySpan<double> scores, int words)
    {
        int best = 0;
        double second = 0;
        for (int i = 1; i < scores.Length; i++)
        {
            if (scores[i] > scores[best])
            {
                second = scores[best];
                best = i;
            }
            else
            {
                second = Math.Max(second, scores[i]);
            }
        }

        return scores[best] >= LeastShare * words && scores[best] > 1.15 * second ? _languages[best].Code : Unknown;
    }

    private static bool IsMark(char c) => CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private static string[] Words(string text) => text.Split(' ');

    private static Dictionary<string, int> Index()
    {
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < _languages.Length; i++)
        {
            foreach (string word in _languages[i].Words)
            {
                index[word] = index.GetValueOrDefault(word) | (1 << i);
            }
        }

        return index;
    }
}
