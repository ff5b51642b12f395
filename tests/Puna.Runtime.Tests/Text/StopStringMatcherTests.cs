using System.Text;
using Puna.Runtime.Text;
using Puna.Tensors;

namespace Puna.Runtime.Tests.Text;

public class StopStringMatcherTests
{
    [Fact]
    public void HoldsBackWhatMayBecomeAStop()
    {
        var matcher = new StopStringMatcher(["</s>"]);
        Assert.Equal("a", matcher.Push("a<"));
        Assert.Equal("", matcher.Push("/"));
        Assert.Equal(2, matcher.Held);
        Assert.Equal("</", matcher.Push("</"));
        Assert.Equal("", matcher.Push("s"));
        Assert.Equal("", matcher.Push(">rest"));
        Assert.True(matcher.IsStopped);
        Assert.Equal("</s>", matcher.Found);
        Assert.Equal("", matcher.Push("more"));
        Assert.Equal("", matcher.Flush());
    }

    [Fact]
    public void FlushGivesBackWhatWasNoStop()
    {
        var matcher = new StopStringMatcher(["abcd"]);
        Assert.Equal("x", matcher.Push("xabc"));
        Assert.Equal("abc", matcher.Flush());
        Assert.Null(matcher.Found);
        Assert.Equal("d", matcher.Push("d"));
    }

    [Theory]
    [InlineData("xabcdx", "xa", "bc", new[] { "abcd", "bc" })] // completed first
    [InlineData("xabcx", "x", "abc", new[] { "bc", "abc", "c" })] // the longest of those completed together
    [InlineData("aaab", "a", "aab", new[] { "aab" })]
    [InlineData("ababac", "ab", "abac", new[] { "abac" })]
    [InlineData("stop\n\nhere", "stop", "\n\n", new[] { "\n\n" })]
    [InlineData("Leute 🦙!", "Leute ", "🦙", new[] { "🦙" })]
    [InlineData("Leute 🦊!", "Leute 🦊!", null, new[] { "🦙" })]
    [InlineData("nothing", "nothing", null, new string[0])]
    [InlineData("", "", null, new[] { "a" })]
    public void CutsBeforeTheFirstStop(string text, string before, string? found, string[] stops)
    {
        var matcher = new StopStringMatcher(stops);
        Assert.Equal(before, matcher.Push(text) + matcher.Flush());
        Assert.Equal(found, matcher.Found);
    }

    [Fact]
    public void AgreesWithNaiveSearchHoweverTheTextIsCut()
    {
        var random = new Random(21);
        for (int round = 0; round < 20_000; round++)
        {
            string[] stops = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => Word(random, random.Next(1, 6), 2 + (round % 2)))];
            string text = Word(random, random.Next(0, 40), 2 + (round % 3));
            (string expected, string? stop) = Naive(text, stops);
            var matcher = new StopStringMatcher(stops);
            var output = new StringBuilder();
            for (int at = 0; at < text.Length;)
            {
                int length = Math.Min(random.Next(0, 7), text.Length - at);
                bool stopped = matcher.Push(text.AsSpan(at, length), output);
                at += length;
                Assert.Equal(matcher.IsStopped, stopped);
                // What is out is final, and nothing is held back that could not become a stop string.
                Assert.StartsWith(output.ToString(), expected, StringComparison.Ordinal);
                string held = text[output.Length..at];
                Assert.True(stopped || held.Length == matcher.Held);
                Assert.True(stopped || held.Length == 0 || stops.Any(s => s.StartsWith(held, StringComparison.Ordinal)));
            }

            output.Append(matcher.Flush());
            Assert.Equal(expected, output.ToString());
            Assert.Equal(stop, matcher.Found);
        }
    }

    [Fact]
    public void TimeIsLinear()
    {
        // A million characters that are nearly the stop string all along: quadratic matching would take hours, this a fraction of a second.
        var matcher = new StopStringMatcher([new string('a', 20_000) + "b", new string('a', 10_000) + "c"]);
        var output = new StringBuilder();
        string piece = new('a', 1000);
        for (int i = 0; i < 1000; i++)
            matcher.Push(piece, output);
        Assert.Equal(980_000, output.Length);
        Assert.Equal(20_000, matcher.Held);
        Assert.True(matcher.Push("c", output));
        Assert.Equal(990_000, output.Length);
    }

    [Fact]
    public void BadStopStringsAreRefused()
    {
        Assert.Equal("stop string 2: expected text, got none", Assert.Throws<PunaException>(() => new StopStringMatcher(["a", ""])).Message);
        Assert.Equal("stop string 1: expected well-formed Unicode, got half a surrogate pair", Assert.Throws<PunaException>(() => new StopStringMatcher(["\udd99"])).Message);
        Assert.Throws<PunaException>(() => new StopStringMatcher(["a\ud83e"]));
    }

    private static string Word(Random random, int length, int letters) => new([.. Enumerable.Range(0, length).Select(_ => (char)('a' + random.Next(letters)))]);

    // The first place where any stop string ends, and there the longest.
    private static (string Before, string? Stop) Naive(string text, string[] stops)
    {
        for (int end = 1; end <= text.Length; end++)
        {
            string? stop = stops.Where(s => text[..end].EndsWith(s, StringComparison.Ordinal)).MaxBy(s => s.Length);
            if (stop is not null)
                return (text[..(end - stop.Length)], stop);
        }

        return (text, null);
    }
}
