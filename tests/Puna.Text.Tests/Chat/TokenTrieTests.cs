using Puna.Text.Chat;

namespace Puna.Text.Tests.Chat;

public sealed class TokenTrieTests
{
    /// <summary>Against looking for every token at every place, the longest first.</summary>
    [Fact]
    public void TheLongestTokenIsFoundAtEveryPlace()
    {
        var random = new Random(1);
        string Word(int most) => string.Concat(Enumerable.Range(0, random.Next(1, most)).Select(_ => "<|ab>"[random.Next(5)]));
        for (int round = 0; round < 200; round++)
        {
            string[] tokens = [.. Enumerable.Range(0, random.Next(0, 20)).Select(_ => Word(5))];
            var trie = new TokenTrie(tokens);
            string text = Word(40);
            for (int at = 0; at <= text.Length; at++)
            {
                Assert.Equal(tokens.Where(token => string.CompareOrdinal(text, at, token, 0, token.Length) == 0).MaxBy(static token => token.Length), trie.Longest(text.AsSpan(at)));
            }
        }
    }
}
