using Puna.Cli.Parsing;

namespace Puna.Cli.Tests.Parsing;

public class SuggestionsTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("abc", "", 3)]
    [InlineData("abc", "abc", 0)]
    [InlineData("abc", "ABC", 0)]
    [InlineData("abc", "acb", 1)] // neighbours swapped
    [InlineData("kitten", "sitting", 3)] // the textbook's example
    public void CountsEdits(string a, string b, int distance)
    {
        Assert.Equal(distance, Suggestions.Distance(a, b));
        Assert.Equal(distance, Suggestions.Distance(b, a));
    }

    [Fact]
    public void FindsWhatWasMeantAndNothingElse()
    {
        string[] names = ["run", "chat", "tokenize"];
        Assert.Equal("run", Suggestions.Nearest("rnu", names));
        Assert.Equal("tokenize", Suggestions.Nearest("tokenise", names));
        Assert.Equal("tokenize", Suggestions.Nearest("tok", names));
        Assert.Null(Suggestions.Nearest("serve", names));
        Assert.Null(Suggestions.Nearest("", names));
        Assert.Null(Suggestions.Nearest(new string('r', 100000), names));
    }
}
