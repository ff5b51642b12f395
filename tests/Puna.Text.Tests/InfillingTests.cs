using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Text.Tests;

public class InfillingTests
{
    private const int Pre = 7, Suf = 8, Mid = 9, End = 10;

    [Fact]
    public void PrefixAndSuffixAreLaidOutBothWays()
    {
        Tokenizer tokenizer = Small();
        int[] prefix = tokenizer.Encode("def f"), inside = Inside(tokenizer, "return 1");
        Assert.Equal([1, Pre, .. prefix, Suf, .. inside, Mid], Infilling.Encode(tokenizer, "def f", "return 1"));
        Assert.Equal([1, Pre, Suf, .. inside, Mid, .. prefix], Infilling.Encode(tokenizer, "def f", "return 1", suffixFirst: true));
        Assert.Equal([1, Pre, Suf, Mid], Infilling.Encode(tokenizer, "", ""));
    }

    // The definition: SentencePiece puts a space in front of a text, and a suffix is no text of its own.
    [Theory]
    [InlineData("return 1")]
    [InlineData(" return")]
    [InlineData("\n  x")]
    [InlineData("")]
    [InlineData("é🦙")]
    public void ASuffixHasNoSpaceInFrontOfItAndComesBack(string text)
    {
        Tokenizer tokenizer = Small();
        int[] ids = Inside(tokenizer, text);
        Assert.Equal(text, Infilling.Decode(tokenizer, ids));
        if (text == "return 1")
            Assert.NotEqual(tokenizer.Encode(text), ids);
    }

    [Fact]
    public void IdsOfThePublishedVocabulary()
    {
        // Spec llama1-3.md 5.2: "def f" inside a text, and alone.
        Tokenizer tokenizer = TokenizerLoader.Open(TestFiles.Asset("llama2", "tokenizer.model"));
        Assert.Equal([1753, 285], Inside(tokenizer, "def f"));
        Assert.Equal([822, 285], tokenizer.Encode("def f"));
    }

    [Fact]
    public void TheMiddleEndsAtItsTokenOrTheTexts()
    {
        Tokenizer tokenizer = Small();
        Assert.Equal([2, End], Infilling.StopIds(tokenizer));
    }

    [Fact]
    public void ATokenizerWithoutTheTokensIsRefused()
    {
        Tokenizer plain = TokenizerLoader.Open(TestFiles.Golden("tokenizers", "tiny-spm", "tokenizer.model"));
        Assert.False(Infilling.IsSupported(plain));
        Assert.Equal("tokenizer: expected a token that stands before a prefix, got none (infilling)", Assert.Throws<PunaException>(() => Infilling.Encode(plain, "a", "b")).Message);
    }

    private static int[] Inside(Tokenizer tokenizer, string text)
    {
        var ids = new List<int>();
        Infilling.EncodeInside(tokenizer, text, ids);
        return [.. ids];
    }

    // Any ids serve as the tokens: they are placed, never looked up in a text.
    private static Tokenizer Small()
    {
        Tokenizer plain = TokenizerLoader.Open(TestFiles.Golden("tokenizers", "tiny-spm", "tokenizer.model"));
        return plain.WithRoles(plain.Roles with { FimPrefix = Pre, FimSuffix = Suf, FimMiddle = Mid, FimEnd = End });
    }
}
