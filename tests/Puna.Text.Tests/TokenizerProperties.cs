using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Puna.Tests.Shared;

namespace Puna.Text.Tests;

/// <summary>What must hold for every tokenizer, checked on each kind of committed fixture.</summary>
public class TokenizerProperties
{
    public static TheoryData<string> Fixtures => ["tiny-ranks", "tiny-byte-bpe", "tiny-spm", "tiny-spm-json"];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Incremental_decoding_gives_what_decoding_gives(string fixture)
    {
        Tokenizer tokenizer = Open(fixture);
        Check(seed =>
        {
            var random = new Random(seed);
            int[] ids = TextArbitrary.Ids(random, tokenizer);
            bool skip = random.Next(2) == 0;
            return TextArbitrary.Incremental(tokenizer, ids, skip) == tokenizer.Decode(ids, skip);
        });
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Special_tokens_come_only_where_they_are_allowed(string fixture)
    {
        Tokenizer tokenizer = Open(fixture);
        Check(seed => tokenizer.Encode(TextArbitrary.Next(new Random(seed))).All(id => !tokenizer.IsSpecial(id)));
        Check(seed => tokenizer.Encode(TextArbitrary.Next(new Random(seed)), SpecialTokens.Only("<|eot_id|>", "</s>"))
            .All(id => !tokenizer.IsSpecial(id) || tokenizer.Piece(id) is "<|eot_id|>" or "</s>"));
    }

    [Theory]
    [InlineData("tiny-ranks")]
    [InlineData("tiny-byte-bpe")]
    public void Byte_level_texts_come_back(string fixture)
    {
        Tokenizer tokenizer = Open(fixture);
        Check(seed =>
        {
            string text = TextArbitrary.Next(new Random(seed));
            return tokenizer.Decode(tokenizer.Encode(text)) == text && tokenizer.Decode(tokenizer.Encode(text, SpecialTokens.All)) == text;
        });
    }

    /// <summary>FsCheck's own strings, lone surrogates included: these count as U+FFFD.</summary>
    [Theory]
    [InlineData("tiny-ranks")]
    [InlineData("tiny-byte-bpe")]
    public void Every_string_comes_back_with_lone_surrogates_replaced(string fixture)
    {
        Tokenizer tokenizer = Open(fixture);
        FsCheck.Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(500),
            Prop.ForAll(
                Gen.Choose(0, char.MaxValue).ArrayOf().ToArbitrary(),
                units =>
                {
                    string text = new([.. units.Select(static u => (char)u)]);
                    return tokenizer.Decode(tokenizer.Encode(text)) == Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
                }));
    }

    /// <summary>SentencePiece gives a text back where its rules say so: no U+2581, and nothing that decoding strips.</summary>
    [Fact]
    public void SentencePiece_texts_come_back()
    {
        Tokenizer tokenizer = Open("tiny-spm");
        Check(seed =>
        {
            string text = TextArbitrary.Next(new Random(seed)).Replace('▁', ' ');
            return tokenizer.Decode(tokenizer.Encode(text)) == text;
        });
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Utf8_and_utf16_give_the_same_ids(string fixture)
    {
        Tokenizer tokenizer = Open(fixture);
        Check(seed =>
        {
            string text = TextArbitrary.Next(new Random(seed), 400);
            var ids = new List<int>();
            tokenizer.EncodeUtf8(Encoding.UTF8.GetBytes(text), ids, SpecialTokens.All);
            return ids.SequenceEqual(tokenizer.Encode(text, SpecialTokens.All));
        });
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Threads_do_not_disturb_each_other(string fixture)
    {
        Tokenizer shared = Open(fixture);
        Tokenizer alone = Open(fixture);
        string[] texts = [.. Enumerable.Range(0, 200).Select(static i => TextArbitrary.Next(new Random(i), 60))];
        int[][] expected = [.. texts.Select(t => alone.Encode(t))];
        Parallel.For(0, 800, i => Assert.Equal(expected[i % 200], shared.Encode(texts[i % 200])));
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Ids_and_pieces_name_each_other(string fixture)
    {
        Tokenizer tokenizer = Open(fixture);
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            // tiktoken has no names but the bytes; those that are no UTF-8 have none.
            if (tokenizer.Kind != TokenizerKind.Tiktoken || !tokenizer.Piece(id).Contains('\uFFFD'))
            {
                Assert.Equal(id, tokenizer.IdOf(tokenizer.Piece(id)));
            }
        }

        Assert.Null(tokenizer.IdOf("no such token"));
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Ids_outside_the_vocabulary_are_refused(string fixture)
    {
        Tokenizer tokenizer = Open(fixture);
        foreach (int id in (int[])[-2, int.MinValue, tokenizer.VocabularySize, int.MaxValue])
        {
            string message = Assert.Throws<Puna.Tensors.PunaException>(() => tokenizer.Decode([id])).Message;
            Assert.Equal($"token id: expected 0 to {tokenizer.VocabularySize - 1}, got {id}", message);
            Assert.Throws<Puna.Tensors.PunaException>(() => tokenizer.TokenText(id));
            Assert.Throws<Puna.Tensors.PunaException>(() => tokenizer.IsSpecial(id));
            Assert.Throws<Puna.Tensors.PunaException>(() => tokenizer.Piece(id));
        }
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void A_primed_decoder_continues_the_prompt(string fixture)
    {
        Tokenizer tokenizer = Open(fixture);
        int[] prompt = tokenizer.Encode("Once upon"), all = tokenizer.Encode("Once upon a time");
        Assert.Equal(prompt, all[..prompt.Length]);
        IncrementalDecoder decoder = tokenizer.CreateDecoder();
        decoder.Prime(prompt);
        Assert.Equal(" a time", string.Concat(all[prompt.Length..].Select(decoder.Push)) + decoder.Flush());
    }

    [Fact]
    public void Roles_can_be_replaced()
    {
        Tokenizer tokenizer = Open("tiny-spm");
        Tokenizer other = tokenizer.WithRoles(tokenizer.Roles with { Stop = [7], AddBos = false, AddEos = true });
        Assert.Equal([7], other.StopIds);
        Assert.Equal([2], tokenizer.StopIds);
        Assert.Equal([1, .. tokenizer.Encode("a")], tokenizer.EncodePrompt("a"));
        Assert.Equal([.. tokenizer.Encode("a"), 2], other.EncodePrompt("a"));
    }

    private static Tokenizer Open(string fixture) =>
        TokenizerLoader.Open(TestFiles.Fixture("tokenizers", fixture));

    private static void Check(Func<int, bool> property) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), property));
}
