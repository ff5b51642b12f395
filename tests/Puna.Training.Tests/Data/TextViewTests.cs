using System.Text.RegularExpressions;
using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>Every measure against a second, plain computation, and every published rule against a text that breaks just this one.</summary>
public class TextViewTests
{
    private static readonly string _good = Good();

    [Fact]
    public void AGoodTextPassesAllPresets()
    {
        foreach (string preset in FilterPresets.Names)
        {
            Assert.Null(Broken(preset, _good));
        }
    }

    [Theory]
    [InlineData("gopher_quality", "gopher_words", "few words of the text that have to be")]
    [InlineData("gopher_quality", "gopher_words", "*60000:to be ")]
    [InlineData("gopher_quality", "gopher_word_length", "*60:to be a b c ")]
    [InlineData("gopher_quality", "gopher_word_length", "*60:incomprehensibilities the thatched-together-word ")]
    [InlineData("gopher_quality", "gopher_hashes", "*60:the have # word ")]
    [InlineData("gopher_quality", "gopher_ellipses", "*60:the have word... ")]
    [InlineData("gopher_quality", "gopher_ellipses", "*60:the have word… ")]
    [InlineData("gopher_quality", "gopher_bullet_lines", "*60:- the have words\n")]
    [InlineData("gopher_quality", "gopher_ellipsis_lines", "*60:the words that have come to an end here with more than ten in one line...\n")]
    [InlineData("gopher_quality", "gopher_alphabetic", "*60:the have 1234 5678 ")]
    [InlineData("gopher_quality", "gopher_stop_words", "*60:word after word makes some text ")]
    [InlineData("gopher_repetition", "gopher_duplicate_paragraphs", "*2:the same paragraph\n\n")]
    [InlineData("gopher_repetition", "gopher_duplicate_lines", "*3:the same line\n")]
    [InlineData("gopher_repetition", "gopher_duplicate_line_characters", "one two three four five six seven eight\none two three four five six seven eight\na\nb\nc\nd\n")]
    [InlineData("gopher_repetition", "gopher_top_2_gram", "over there one over there two over there three over there four")]
    [InlineData("fineweb", "fineweb_punctuated_lines", "*9:a line of text which has no end that anybody could see\n")]
    [InlineData("fineweb", "fineweb_short_lines", "*9:short.\n")]
    [InlineData("fineweb", "fineweb_duplicate_line_characters", "*2:a line of text which has an end that anybody can see.\n")]
    public void EachRuleIsBrokenByItsText(string preset, string code, string text)
    {
        if (text[0] == '*')
        {
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            text = string.Concat(Enumerable.Repeat(text[(colon + 1)..], int.Parse(text[1..colon], System.Globalization.CultureInfo.InvariantCulture)));
        }

        Assert.Equal(code, Broken(preset, text));
    }

    [Fact]
    public void NewlinesPerWord() =>
        Assert.Equal("fineweb_newlines", Broken("fineweb", string.Join('\n', Enumerable.Range(0, 9).Select(i => $"{Word(i)}{new string((char)('a' + i), 40)}."))));

    [Fact]
    public void MeasuresAgreeWithASecondComputation()
    {
        var random = new Random(1);
        var view = new TextView();
        string[] pieces = ["alpha", "beta", "gamma", "12", "#", "...", "…", "-", "• x", "\n", "\n", "\n\n", "end.", "it's", "(the)", "of", "and"];
        for (int round = 0; round < 400; round++)
        {
            string text = string.Join(' ', Enumerable.Range(0, random.Next(1, 60)).Select(_ => pieces[random.Next(round % 2 == 0 ? pieces.Length : 5)])).Replace(" \n ", "\n", StringComparison.Ordinal);
            view.Take(text, "en");
            string[] tokens = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            string[] words = [.. tokens.Select(t => Regex.Replace(t, "^[^a-zA-Z0-9]+|[^a-zA-Z0-9]+$", "")).Where(w => w.Length > 0)];
            string[] lines = [.. text.Split('\n').Where(l => l.Trim().Length > 0)];
            string[] paragraphs = Regex.Split(text.Trim(), "\n{2,}");
            Expect(TextMeasure.Words, words.Length);
            Expect(TextMeasure.Characters, text.Length);
            Expect(TextMeasure.MeanWordLength, Share(words.Sum(w => w.Length), words.Length));
            Expect(TextMeasure.HashesPerWord, Share(text.Split('#').Length - 1, words.Length));
            Expect(TextMeasure.EllipsesPerWord, Share(Regex.Count(text, @"\.\.\.|…"), words.Length));
            Expect(TextMeasure.BulletLines, Share(lines.Count(l => l.TrimStart()[0] is '-' or '•'), lines.Length));
            Expect(TextMeasure.EllipsisLines, Share(lines.Count(l => Regex.IsMatch(l, @"(\.\.\.|…)\s*$")), lines.Length));
            Expect(TextMeasure.AlphabeticWords, Share(tokens.Count(t => t.Any(char.IsLetter)), tokens.Length));
            Expect(TextMeasure.StopWords, words.Intersect(["the", "be", "to", "of", "and", "that", "have", "with"]).Count());
            Expect(TextMeasure.DuplicateLines, Share(lines.Length - lines.Distinct().Count(), lines.Length));
            Expect(TextMeasure.DuplicateLineCharacters, Share(lines.Sum(l => l.Length) - lines.Distinct().Sum(l => l.Length), text.Replace("\n", "", StringComparison.Ordinal).Length));
            Expect(TextMeasure.DuplicateParagraphs, Share(paragraphs.Length - paragraphs.Distinct().Count(), paragraphs.Length));
            Expect(TextMeasure.DuplicateParagraphCharacters, Share(paragraphs.Sum(l => l.Length) - paragraphs.Distinct().Sum(l => l.Length), text.Length));
            Expect(TextMeasure.PunctuatedLines, Share(lines.Count(l => Regex.IsMatch(l, @"[.!?""']\s*$")), lines.Length));
            Expect(TextMeasure.ShortLines, Share(lines.Count(l => l.Length <= 30), lines.Length));
            Expect(TextMeasure.NewlinesPerWord, Share(text.Count(c => c == '\n'), words.Length));
            for (int n = 2; n <= 4; n++)
            {
                string[] grams = [.. Enumerable.Range(0, Math.Max(0, tokens.Length - n + 1)).Select(i => string.Join(' ', tokens[i..(i + n)]))];
                IGrouping<string, string>? top = grams.GroupBy(g => g).OrderByDescending(g => g.Count()).ThenByDescending(g => g.Key.Length).FirstOrDefault();
                Expect(TextMeasure.Top2Gram + (n - 2), top is null || top.Count() == 1 ? 0 : top.Count() * top.Key.Length / (double)text.Length);
            }

            for (int n = 5; n <= 10; n++)
            {
                var seen = new HashSet<string>();
                int repeated = 0;
                for (int i = 0; i + n <= tokens.Length;)
                {
                    bool known = !seen.Add(string.Join(' ', tokens[i..(i + n)]));
                    repeated += known ? tokens[i..(i + n)].Sum(t => t.Length) : 0;
                    i += known ? n : 1;
                }

                Expect(TextMeasure.Duplicate5Grams + (n - 5), repeated / (double)text.Length);
            }

            void Expect(TextMeasure measure, double value) => Assert.True(Math.Abs(value - view.Measure(measure)) < 1e-12, $"{measure}: expected {value}, got {view.Measure(measure)} on\n{text}");
        }
    }

    [Fact]
    public void AnEmptyTextHasNoMeasures()
    {
        var view = new TextView();
        view.Take("", "en");
        Assert.All(Enum.GetValues<TextMeasure>().Except([TextMeasure.Characters]), m => Assert.Equal(0, view.Measure(m)));
    }

    [Fact]
    public void BoundsAreInclusive()
    {
        var rule = new FilterRule("x", TextMeasure.Words, 2, 3);
        Assert.Equal([false, true, true, false], new[] { 1.0, 2, 3, 4 }.Select(rule.Passes));
    }

    private static string Good()
    {
        string[] common = ["the", "be", "to", "of", "and", "that", "have", "with"];
        var random = new Random(1);
        return string.Join('\n', Enumerable.Range(0, 12).Select(_ =>
            string.Join(' ', Enumerable.Range(0, 14).Select(i => i % 3 == 0 ? common[random.Next(8)] : Word(random.Next(400)))) + "."));
    }

    private static double Share(double part, double whole) => whole > 0 ? part / whole : 0;

    private static string Word(int i) => $"{(char)('b' + (i % 19))}{"aeiou"[i % 5]}{(char)('b' + (i / 7 % 19))}{"aeiou"[i / 5 % 5]}r";

    private static string? Broken(string preset, string text)
    {
        var view = new TextView();
        view.Take(text, "en");
        return view.FirstBroken(FilterPresets.Find(preset)!)?.Code;
    }
}
