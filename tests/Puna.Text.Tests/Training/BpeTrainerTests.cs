using Puna.Text.Training;

namespace Puna.Text.Tests.Training;

/// <summary>Merging in the cases that are easily got wrong.</summary>
public sealed class BpeTrainerTests
{
    /// <summary>Overlapping pairs count, and are merged from the left: aaaaa has aa four times and becomes aa aa a; then (aa, aa) and (aa, a) tie, and the lesser right part is taken.</summary>
    [Theory]
    [InlineData("a", 0, "")]
    [InlineData("aaa", 5, "a+a aa+a")]
    [InlineData("aaaa", 5, "a+a aa+aa")]
    [InlineData("aaaaa", 5, "a+a aa+a aa+aaa")]
    [InlineData("aaab", 5, "a+a a+b aa+ab")]
    [InlineData("abab", 2, "a+b ab+ab")]
    public void Repeated_symbols_merge_from_the_left(string word, int wanted, string expected) => Assert.Equal(expected, Merges([(word, 1)], wanted));

    /// <summary>aaa has aa twice (2 · 3 = 6), more than xy (5), though merging it once uses both up.</summary>
    [Fact]
    public void Overlaps_count() => Assert.Equal("a+a x+y aa+a", Merges([("aaa", 3), ("xy", 5)], 9));

    [Fact]
    public void Words_count_as_often_as_they_occur() => Assert.Equal("b+c a+b", Merges([("ab", 4), ("bc", 9_000_000_000)], 2));

    [Fact]
    public void Nothing_is_merged_across_a_wall() => Assert.Equal("b+c", Merges([("ab#bc", 1), ("#bc#", 1), ("#", 5), ("##", 5)], 1));

    [Fact]
    public void Merging_ends_with_the_last_pair() => Assert.Equal("a+b", Merges([("ab", 1)], 100));

    /// <summary>
    /// From single characters merging never makes a text twice; from an alphabet that has it already it does. Here c is spelled "ab" too: the pair is merged under the number of c, then
    /// (c, c) can be merged wherever it came from.
    /// </summary>
    [Fact]
    public void What_is_made_a_second_time_is_merged_under_its_old_number()
    {
        var text = new SymbolText();
        text.Add([0, 1, 2], 3);
        text.Add([2, 2], 1);
        var merges = new List<(int, int)>();
        int made = new BpeTrainer(text, 3, new Same(drop: false)).Run(1, (l, r) => merges.Add((l, r)), stop: TestContext.Current.CancellationToken);
        Assert.Equal(1, made);
        Assert.Equal([(0, 1), (2, 2)], merges);
    }

    [Fact]
    public void What_is_made_a_second_time_is_dropped_where_the_rules_say_so()
    {
        var text = new SymbolText();
        text.Add([0, 1, 2], 3);
        text.Add([2, 2], 1);
        var merges = new List<(int, int)>();
        int made = new BpeTrainer(text, 3, new Same(drop: true)).Run(2, (l, r) => merges.Add((l, r)), stop: TestContext.Current.CancellationToken);
        Assert.Equal(2, made);
        Assert.Equal([(1, 2), (0, 3)], merges);
    }

    /// <summary>Symbols are letters, walls #; ties go to the lesser numbers.</summary>
    private static string Merges((string Word, long Count)[] words, int wanted)
    {
        var text = new SymbolText();
        foreach ((string word, long count) in words)
        {
            text.Add([.. word.Select(static c => c == '#' ? SymbolText.Wall : c - 'a')], count);
        }

        var names = Enumerable.Range('a', 26).Select(static c => ((char)c).ToString()).ToList();
        var merges = new List<string>();
        new BpeTrainer(text, 26, new Letters(names)).Run(wanted, (l, r) => merges.Add($"{names[l]}+{names[r]}"), stop: TestContext.Current.CancellationToken);
        return string.Join(' ', merges);
    }

    private sealed class Letters(List<string> names) : MergeRules
    {
        public override bool Allows(int left, int right) => true;

        public override ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

        public override int Compare((int Left, int Right) first, (int Left, int Right) second) => 0;

        public override int Join(int left, int right)
        {
            // The name before the new one is used, so that both parts can be told in it.
            names.Add(names[left] + names[right]);
            return names.Count - 1;
        }
    }

    /// <summary>Symbols a, b and "ab".</summary>
    private sealed class Same(bool drop) : MergeRules
    {
        private int _next = 3;

        public override bool Allows(int left, int right) => true;

        public override ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

        public override int Compare((int Left, int Right) first, (int Left, int Right) second) => 0;

        public override int Join(int left, int right) => (left, right) != (0, 1) ? _next++ : drop ? -1 : 2;
    }
}
