using System.Text;
using System.Text.Json;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text.Splitting;
using Puna.Text.Tiktoken;

namespace Puna.Text.Tests.Tiktoken;

public class TiktokenTokenizerTests
{
    [Theory]
    [InlineData("llama3")]
    [InlineData("llama4")]
    public void Golden_lines_encode_and_decode_as_tiktoken_does(string name)
    {
        Tokenizer tokenizer = Open(name);
        GoldenLine.All(GoldenLine.Read(TestFiles.Golden("tokenizers", name + ".jsonl")), line =>
            GoldenLine.Differ(line.Ids, tokenizer.Encode(line.Text))
            ?? GoldenLine.Differ(line.IdsSpecialAllowed ?? line.Ids, tokenizer.Encode(line.Text, SpecialTokens.All))
            ?? GoldenLine.Differ(line.Text, tokenizer.Decode(line.Ids))
            ?? GoldenLine.Differ(line.Text, TextArbitrary.Incremental(tokenizer, line.IdsSpecialAllowed ?? line.Ids)));
    }

    /// <summary>A small file of ranks of our own; the ids are those of an executable specification in Python, with its own regular expressions.</summary>
    [Theory]
    [InlineData(TiktokenFamily.Llama3, "llama3")]
    [InlineData(TiktokenFamily.Llama4, "llama4")]
    public void Committed_ranks_encode_as_the_specification_does(TiktokenFamily family, string key)
    {
        string path = TestFiles.Fixture("tokenizers", "tiny-ranks", "tokenizer.model");
        Tokenizer tokenizer = TiktokenTokenizer.Read(File.ReadAllBytes(path), path, family);
        foreach (string line in File.ReadLines(TestFiles.Fixture("tokenizers", "tiny-ranks", "golden.jsonl")))
        {
            using JsonDocument json = JsonDocument.Parse(line);
            string text = json.RootElement.GetProperty("text").GetString()!;
            int[] Ids(string name) => [.. json.RootElement.GetProperty(name).EnumerateArray().Select(static x => x.GetInt32())];
            Assert.Equal(Ids(key), tokenizer.Encode(text));
            Assert.Equal(Ids(key + "_special"), tokenizer.Encode(text, SpecialTokens.All));
            Assert.Equal(text, tokenizer.Decode(Ids(key + "_special")));
        }
    }

    // Spec llama1-3.md 5.3.
    [Theory]
    [InlineData("This is a test sentence.", 2028, 374, 264, 1296, 11914, 13)]
    [InlineData("assistant", 78191)]
    [InlineData("ipython", 23799, 4690)]
    [InlineData("   ", 262)]
    [InlineData("\r\n", 319)]
    [InlineData("  Hello", 220, 22691)]
    [InlineData("1234567", 4513, 10961, 22)]
    [InlineData("don't DON'T we'll", 15357, 956, 45373, 17773, 584, 3358)]
    [InlineData("🦙", 9468, 99, 247)]
    [InlineData("x   \n  y", 87, 5996, 220, 379)]
    [InlineData("def f():\n    return 1\n", 755, 282, 4019, 262, 471, 220, 16, 198)]
    [InlineData("Zürich naïve 中文 日本", 57, 5297, 718, 95980, 588, 73958, 17161, 105180)]
    [InlineData("<|eot_id|>", 27, 91, 68, 354, 851, 91, 29)]
    public void Llama3_vectors(string text, params int[] ids) => Assert.Equal(ids, Open("llama3").Encode(text));

    // Spec llama4.md 11.
    [Theory]
    [InlineData("Hello, world!", 19873, 24, 3817, 13)]
    [InlineData("don't DON'T we'll I'M", 127161, 93885, 59842, 31519, 5384, 57)]
    [InlineData("1234567890", 7235, 19596, 30054, 28)]
    [InlineData("x   ", 100, 277)]
    [InlineData("Ünïcödé naïve café", 20665, 90, 14323, 79, 20003, 397, 1181, 164301, 49652)]
    [InlineData("\U0001D400\U0001D401 \U00020000", 38057, 222, 38057, 223, 220, 183, 254, 222, 222)]
    [InlineData("<|eot|>", 40, 104, 81, 359, 159276)]
    [InlineData("http://example.com/a/b?c=d", 3303, 1050, 15860, 1127, 11159, 4790, 43, 79, 51084)]
    [InlineData("  \n  \n x", 33409, 831)]
    [InlineData("straße GROẞ", 60015, 192539, 489, 252)]
    [InlineData("\n\n\nfoo", 2946, 16662)]
    public void Llama4_vectors(string text, params int[] ids) => Assert.Equal(ids, Open("llama4").Encode(text));

    /// <summary>588 tokens of Llama 3 cannot be reached by merging; each is found because a whole piece is looked up first (spec llama1-3.md 5.3).</summary>
    [Fact]
    public void Tokens_that_no_merge_reaches_are_found_as_whole_pieces()
    {
        TiktokenTokenizer tokenizer = Open("llama3");
        int unreachable = 0;
        for (int id = 256; id < tokenizer.RankCount; id++)
        {
            byte[] bytes = tokenizer.TokenBytes(id).ToArray();
            int[] starts = [.. Enumerable.Range(0, bytes.Length + 1)];
            int[] symbols = [.. bytes.Select(b => tokenizer.Ranks.Find([b]))];
            if (Text.Merging.BpeMerger.Merge(new Text.Merging.RankRule(tokenizer.Ranks), bytes, starts, symbols) > 1)
            {
                unreachable++;
                string text = Encoding.UTF8.GetString(bytes);
                if (Llama3Scanner.Instance.Next(bytes, 0) == bytes.Length && !text.Contains('\uFFFD'))
                {
                    Assert.Equal([id], tokenizer.Encode(text));
                }
            }
        }

        Assert.Equal(588, unreachable);
    }

    [Theory]
    [InlineData("llama3", 128256, 128000, 128001, 128009, 128008, 128004)]
    [InlineData("llama4", 202048, 200000, 200001, 200008, 200007, 200018)]
    public void Roles_are_those_of_the_generation(string name, int size, int bos, int eos, int eot, int eom, int pad)
    {
        TiktokenTokenizer tokenizer = Open(name);
        Assert.Equal((size, bos, eos, eot, eom, pad), (tokenizer.VocabularySize, tokenizer.BosId, tokenizer.EosId, tokenizer.EotId, tokenizer.EomId, tokenizer.PadId));
        Assert.Equal([eos, eom, eot], tokenizer.StopIds);
        Assert.True(tokenizer.AddBos);
        Assert.Equal([bos, .. tokenizer.Encode("x")], tokenizer.EncodePrompt("x"));
        Assert.Equal(bos, tokenizer.IdOf("<|begin_of_text|>"));
        Assert.True(tokenizer.IsSpecial(bos));
        Assert.False(tokenizer.IsSpecial(65));
    }

    // Spec llama1-3.md 5.4 and llama4.md 6.2.
    [Theory]
    [InlineData(TiktokenFamily.Llama3, 256, "2:reserved_special_token_0 4:finetune_right_pad_id 5:step_id 6:start_header_id 10:python_tag 11:image 12:reserved_special_token_2 255:reserved_special_token_245")]
    [InlineData(TiktokenFamily.Llama4, 2048, "16:python_start 19:text_post_train_reserved_special_token_8 79:text_post_train_reserved_special_token_68 80:image_start 84:tile_x_separator 90:image"
        + " 92:patch 93:vision_reserved_special_token_7 1133:vision_reserved_special_token_1047 1134:reasoning_reserved_special_token_0 1142:reasoning_thinking_start"
        + " 1144:reserved_special_token_0 2047:reserved_special_token_903")]
    public void Special_tokens_have_their_published_ids(TiktokenFamily family, int count, string expected)
    {
        IReadOnlyList<string> names = TiktokenSpecials.Names(family);
        Assert.Equal(count, names.Distinct().Count());
        foreach (string pair in expected.Split(' '))
        {
            string[] parts = pair.Split(':');
            Assert.Equal($"<|{parts[1]}|>", names[int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture)]);
        }
    }

    [Fact]
    public void Only_allowed_special_tokens_are_recognised()
    {
        Tokenizer tokenizer = Tiny();
        int eot = tokenizer.EotId!.Value;
        const string Text = "a<|eot_id|><|begin_of_text|>b";
        Assert.Equal([eot], tokenizer.Encode(Text, SpecialTokens.Only("<|eot_id|>")).Where(tokenizer.IsSpecial));
        Assert.Equal([eot, tokenizer.BosId!.Value], tokenizer.Encode(Text, SpecialTokens.All).Where(tokenizer.IsSpecial));
        Assert.DoesNotContain(tokenizer.Encode(Text, SpecialTokens.None), tokenizer.IsSpecial);
        Assert.Equal("ab", tokenizer.Decode(tokenizer.Encode(Text, SpecialTokens.All), skipSpecial: true));
        Assert.Equal(Text, tokenizer.Decode(tokenizer.Encode(Text, SpecialTokens.All)));
    }

    [Fact]
    public void Other_editions_may_name_and_add_special_tokens()
    {
        string path = TestFiles.Fixture("tokenizers", "tiny-ranks", "tokenizer.model");
        byte[] content = File.ReadAllBytes(path);
        int ranks = TiktokenTokenizer.Read(content, path).RankCount;
        TiktokenTokenizer tokenizer = TiktokenTokenizer.Read(content, path, specials: [KeyValuePair.Create("<|image|>", ranks + 256), KeyValuePair.Create("<|other|>", ranks + 11)]);
        Assert.Equal(ranks + 257, tokenizer.VocabularySize);
        Assert.Equal(ranks + 256, tokenizer.IdOf("<|image|>"));
        Assert.Equal([ranks + 11, ranks + 256], tokenizer.Encode("<|other|><|image|>", SpecialTokens.All));
        Assert.Contains("expected an id from", Assert.Throws<FileFormatException>(() => TiktokenTokenizer.Read(content, path, specials: [KeyValuePair.Create("<|x|>", 5)])).Message, StringComparison.Ordinal);
    }

    /// <summary>Ill-formed bytes decode to one U+FFFD per maximal part (spec llama1-3.md 5.3: E4 B8 gives one), and none of them is lost between tokens.</summary>
    [Fact]
    public void Ill_formed_bytes_decode_as_everywhere_else()
    {
        Tokenizer tokenizer = Tiny();
        int Byte(byte b) => Enumerable.Range(0, 600).First(id => tokenizer.TokenBytes(id).SequenceEqual([b]));
        Assert.Equal("\uFFFD", tokenizer.Decode([Byte(0xE4), Byte(0xB8)]));
        Assert.Equal("\uFFFDA", tokenizer.Decode([Byte(0xE4), Byte(0xB8), Byte((byte)'A')]));
        Assert.Equal("\uFFFD\uFFFD\uFFFD", tokenizer.Decode([Byte(0xED), Byte(0xA0), Byte(0x80)]));
        Assert.Equal("中", tokenizer.Decode([Byte(0xE4), Byte(0xB8), Byte(0xAD)]));
        Assert.Equal(["", "", "中"], ((int[])[Byte(0xE4), Byte(0xB8), Byte(0xAD)]).Select(tokenizer.CreateDecoder().Push));
    }

    [Fact]
    public void Bytes_that_are_no_utf8_are_replaced()
    {
        Tokenizer tokenizer = Tiny();
        var ids = new List<int>();
        tokenizer.EncodeUtf8([(byte)'a', 0xE4, 0xB8, (byte)'b', 0xFF], ids);
        Assert.Equal("a\uFFFDb\uFFFD", tokenizer.Decode([.. ids]));
    }

    /// <summary>Cuts of Meta's wrapper: before the character that would make a run of 25,001, and after 400,000 characters; each part is encoded alone.</summary>
    [Fact]
    public void Long_texts_are_cut_as_by_Meta()
    {
        Tokenizer tokenizer = Tiny();
        string run = new('é', 60_000);
        int[] parts = [.. tokenizer.Encode(run.AsSpan(0, 25_000)), .. tokenizer.Encode(run.AsSpan(0, 25_000)), .. tokenizer.Encode(run.AsSpan(0, 10_000))];
        Assert.Equal(parts, tokenizer.Encode(run));

        string words = string.Concat(Enumerable.Repeat("🦙 salt ", 80_000));
        string[] runes = [.. words.EnumerateRunes().Select(static r => r.ToString())];
        Assert.Equal(560_000, runes.Length);
        Assert.Equal([.. tokenizer.Encode(string.Concat(runes[..400_000])), .. tokenizer.Encode(string.Concat(runes[400_000..]))], tokenizer.Encode(words));
    }

    private static TiktokenTokenizer Open(string name)
    {
        string path = TestFiles.Asset(name, "tokenizer.model");
        return TiktokenTokenizer.Read(File.ReadAllBytes(path), path);
    }

    private static TiktokenTokenizer Tiny()
    {
        string path = TestFiles.Fixture("tokenizers", "tiny-ranks", "tokenizer.model");
        return TiktokenTokenizer.Read(File.ReadAllBytes(path), path);
    }
}
