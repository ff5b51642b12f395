using System.Text;
using System.Text.Json;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text.Splitting.Patterns;

namespace Puna.Text.Tests.Splitting;

public class SplitPatternTests
{
    /// <summary>splits.jsonl holds patterns from tokenizer files (and a few that use every construct), each with random texts and what Python's <c>regex</c> module matches.</summary>
    [Fact]
    public void Matches_are_those_of_another_engine()
    {
        string[] lines = File.ReadAllLines(TestFiles.Fixture("tokenizers", "splits.jsonl"));
        Assert.Equal(10, lines.Length);
        foreach (string line in lines)
        {
            using JsonDocument json = JsonDocument.Parse(line);
            var pattern = new SplitPattern(json.RootElement.GetProperty("pattern").GetString()!);
            foreach (JsonElement textAndMatches in json.RootElement.GetProperty("cases").EnumerateArray())
            {
                string[] expected = [.. textAndMatches.EnumerateArray().Select(static m => m.GetString()!)];
                Assert.Equal(expected[1..], Matches(pattern, expected[0]));
            }
        }
    }

    [Theory]
    [InlineData("(", "a )")]
    [InlineData("a)", "an end")]
    [InlineData("[a", "a ]")]
    [InlineData("[b-a]", "a range that ascends")]
    [InlineData("*a", "something to repeat")]
    [InlineData("a{x}", "numbers in braces")]
    [InlineData("a{3,2}", "numbers in braces")]
    [InlineData("(?:a?)*", "never empty")]
    [InlineData("\\p{Han}", "general category")]
    [InlineData("\\q", "an escape that is known")]
    [InlineData("\\", "a character behind")]
    [InlineData("(?<name>a)", "a group of kind")]
    [InlineData("(?<=ab)c", "one character in a look behind")]
    [InlineData("[[:alpha:]]", "a class")]
    [InlineData("(?:(?:a{1000}){1000}){1000}", "at most 50000 steps")]
    public void What_is_not_understood_is_refused_by_name(string pattern, string expected) =>
        Assert.Contains(expected, Assert.Throws<PunaException>(() => new SplitPattern(pattern)).Message, StringComparison.Ordinal);

    [Fact]
    public void Deep_nesting_is_refused() =>
        Assert.Contains("nested", Assert.Throws<PunaException>(() => new SplitPattern(new string('(', 5000))).Message, StringComparison.Ordinal);

    [Fact]
    public void Endless_back_tracking_ends_in_an_error()
    {
        var pattern = new SplitPattern("(?:a+a+)+b");
        Assert.Contains("no end of back-tracking", Assert.Throws<PunaException>(() => Matches(pattern, new string('a', 60))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_run_needs_no_stack()
    {
        string text = new('a', 300_000);
        Assert.Equal([text], Matches(new SplitPattern("(?:a|b)+"), text));
    }

    private static string[] Matches(SplitPattern pattern, string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        var scratch = new PatternScratch(SplitPattern.Budget(utf8.Length));
        var matches = new List<string>();
        for (int at = 0; at <= utf8.Length && pattern.Find(utf8, at, scratch, out int length) is >= 0 and int found;)
        {
            if (length > 0)
            {
                matches.Add(Encoding.UTF8.GetString(utf8, found, length));
            }

            at = found + Math.Max(length, 1);
        }

        return [.. matches];
    }
}
