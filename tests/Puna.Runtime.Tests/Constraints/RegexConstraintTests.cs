using System.Text.RegularExpressions;
using Puna.Runtime.Constraints;
using Puna.Tensors;

namespace Puna.Runtime.Tests.Constraints;

public sealed class RegexConstraintTests
{
    // The oracle is the library's own engine in ECMAScript mode, anchored at both ends.
    [Theory]
    [InlineData("a*b|c")]
    [InlineData("(ab|a)(bc|c)?")]
    [InlineData("[a-c]{2,3}")]
    [InlineData("[^a]b*")]
    [InlineData("(?:a{2}|b)+c?")]
    [InlineData("^a+$|^$")]
    [InlineData("\\w\\d?")]
    [InlineData("a{0,2}(b|)c{1,}")]
    public void AcceptsWhatTheLibraryMatches(string pattern)
    {
        RegexConstraint constraint = ConstraintChecks.Regex(pattern);
        var oracle = new Regex($"^(?:{pattern})$(?!\n)", RegexOptions.None);
        var texts = new List<string> { "" };
        for (int i = 0; i < texts.Count && texts[i].Length < 4; i++)
        {
            texts.AddRange("abc1".Select(c => texts[i] + c));
        }

        Assert.All(texts, text => Assert.Equal(oracle.IsMatch(text), ConstraintChecks.Accepts(constraint, text)));
    }

    [Fact]
    public void WhatIsKeptOfTheTextsThatWereMetIsCounted()
    {
        const int Long = 3000;
        IMeasuredConstraint constraint = ConstraintChecks.Regex($"[a-c]{{0,{Long}}}d");
        ConstraintState state = constraint.Start();
        uint[] mask = new uint[ConstraintChecks.Vocabulary.Words];
        long before = GC.GetAllocatedBytesForCurrentThread(), counted = constraint.MetBytes;
        for (int i = 0; i < Long; i++)
        {
            state.FillMask(mask);
            Assert.True(state.TryAccept('a'));
        }

        // Not more than this thread allocated; and a state for every letter has at least its object, its reading and a place in a table.
        Assert.InRange(constraint.MetBytes - counted, Long * 200L, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("(?!a)", "look-around")]
    [InlineData("\\ba", "word boundaries")]
    [InlineData("(a", "the end")]
    [InlineData("a)", "unmatched")]
    [InlineData("[a", "]")]
    [InlineData("a{3,1}", "order")]
    [InlineData("*", "repeat")]
    [InlineData("\\p{Nope}", "category")]
    [InlineData("a$b", "none")]
    public void OthersAreRefusedByName(string pattern, string name) =>
        Assert.Contains(name, Assert.Throws<PunaException>(() => ConstraintChecks.Regex(pattern)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("\\p{Lu}\\p{L}*", "Édouard", "édouard")]
    [InlineData(".", "😀", "\n")]
    [InlineData("[\\u{1F600}-\\u{1F64F}]", "😀", "a")]
    public void CodePointsAreWholeCharacters(string pattern, string accepted, string rejected)
    {
        RegexConstraint constraint = ConstraintChecks.Regex(pattern);
        Assert.True(ConstraintChecks.Accepts(constraint, accepted));
        Assert.False(ConstraintChecks.Accepts(constraint, rejected));
    }
}
