using System.Text;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text.Conversion;
using Puna.Text.SentencePieces;

namespace Puna.Text.Tests.SentencePieces;

public class SentencePieceReaderTests
{
    private static readonly byte[] Unknown = [0x0A, 0x09, 0x0A, 0x05, .. "<unk>"u8, 0x18, 0x02];
    private static readonly byte[] BytePair = [0x12, 0x02, 0x18, 0x02];

    /// <summary>Spec llama1-3.md 5.1: small models leave most fields out.</summary>
    [Fact]
    public void Absent_fields_have_defaults()
    {
        SentencePieceModel model = SentencePieceReader.Read([.. Unknown, 0x0A, 0x03, 0x0A, 0x01, (byte)'a', .. BytePair], "f");
        Assert.True(model is { AddDummyPrefix: true, RemoveExtraWhitespaces: true, EscapeWhitespaces: true, ByteFallback: false, UnknownSurface: " ⁇ " });
        Assert.Equal(0, model.Scores[1]);
        Assert.Equal(PieceType.Normal, model.Types[1]);
    }

    [Fact]
    public void Unknown_fields_of_every_wire_type_are_passed_over()
    {
        byte[] extra = [0xA0, 0x06, 0x05, 0xA1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xA2, 0x06, 0x02, 9, 9, 0xA5, 0x06, 1, 2, 3, 4];
        Assert.Single(SentencePieceReader.Read([.. Unknown, .. extra, .. BytePair], "f").Pieces);
    }

    [Fact]
    public void What_is_written_is_read()
    {
        byte[] file = File.ReadAllBytes(TestFiles.Fixture("tokenizers", "tiny-spm", "tokenizer.model"));
        SentencePieceModel model = SentencePieceReader.Read(file, "f"), again = SentencePieceReader.Read(SentencePieceWriter.Write(model), "g");
        Assert.Equal(model.Pieces.Select(Convert.ToHexString), again.Pieces.Select(Convert.ToHexString));
        Assert.Equal(model.Scores, again.Scores);
        Assert.Equal(model.Types, again.Types);
        Assert.Equal((model.AddDummyPrefix, model.RemoveExtraWhitespaces, model.ByteFallback, model.UnknownSurface), (again.AddDummyPrefix, again.RemoveExtraWhitespaces, again.ByteFallback, again.UnknownSurface));
    }

    [Theory]
    [InlineData("", "expected pieces, got none")]
    [InlineData("0A05", "length of field 1: expected at most 0, got 5")]
    [InlineData("0AFFFFFFFFFFFFFFFFFF01", "length of field 1: expected at most 0, got 18446744073709551615")]
    [InlineData("0AFFFFFFFFFFFFFFFFFFFF01", "expected at most 10 bytes, got more")]
    [InlineData("0A80", "expected more bytes, got the end")]
    [InlineData("0200", "field number: expected 1 or more, got 0")]
    [InlineData("0B", "wire type of field 1: expected 0, 1, 2 or 5, got 3")]
    [InlineData("0801", "field 1: expected a string or message, got wire type 0")]
    [InlineData("0A020801", "field 1: expected a string or message, got wire type 0")]
    [InlineData("0A0512036162631005", "field 2: expected a 32-bit float, got wire type 2")]
    [InlineData("0A03150000", "length of field 2: expected at most 2, got 4")]
    [InlineData("0A00", "piece 0: expected a text, got none")]
    [InlineData("0A030A01FF", "piece 0: expected UTF-8, got FF")]
    [InlineData("0A080A016115 0000C07F", "score of piece 0: expected a number, got NaN")]
    [InlineData("0A050A01611809", "type of piece 0: expected 1 to 6, got 0")]
    [InlineData("0A050A01611806", "byte piece 0: expected <0x00> to <0xFF>, got a")]
    [InlineData("0A030A0161", "unknown pieces: expected 1, got 0")]
    [InlineData("0A050A01611802 0A050A01621802", "unknown pieces: expected 1, got 2")]
    [InlineData("0A050A01611802 12021803", "expected byte pair encoding or unigram, got words")]
    [InlineData("0A050A01611802 12021804", "expected byte pair encoding or unigram, got characters")]
    [InlineData("0A050A01611802 12021802 1205C00101", "expected at most")]
    [InlineData("0A050A01611802 12051802C00101", "treat_whitespace_as_suffix of a SentencePiece model: expected false, got true")]
    [InlineData("0A050A01611802 120518029802 01", "byte_fallback true: expected 256, got 0")]
    [InlineData("0A050A01611802 0A0A0A063C307830303E1806 12021802", "byte_fallback false: expected 0, got 1")]
    [InlineData("0A050A01611802 12021802 2A03120141", "denormalizer of a SentencePiece model: expected none, got a character map")]
    public void Malformed_files_are_refused(string hex, string message)
    {
        FileFormatException error = Assert.Throws<FileFormatException>(() => SentencePieceReader.Read(Convert.FromHexString(hex.Replace(" ", "")), "f"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_piece_that_comes_twice_is_refused()
    {
        SentencePieceModel model = ModelBuilder.Model(false, "ab", "c", "ab");
        Assert.Contains("piece ab: expected once, got it as 3 and 5", Assert.Throws<FileFormatException>(() => ModelBuilder.Tokenizer(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_cut_of_a_file_is_refused_or_is_a_smaller_model()
    {
        byte[] file = File.ReadAllBytes(TestFiles.Fixture("tokenizers", "tiny-spm", "tokenizer.model"));
        for (int length = 0; length < file.Length; length += 7)
        {
            Assert.Throws<FileFormatException>(() => SentencePieceTokenizer.Read(file.AsSpan(0, length), "f"));
        }
    }

    /// <summary>A trie with the one sequence A, made by hand: spec llama1-3.md 5.5 says how it is read.</summary>
    [Fact]
    public void Character_maps_replace_the_longest_sequence()
    {
        SentencePieceModel model = ModelBuilder.Model(false, "▁", "x", "y", "A", "B");
        model.CharsMap = Map("xy\0\0", ("A", 0), ("AB", 3), ("B", 1));
        Tokenizer tokenizer = ModelBuilder.Tokenizer(model);
        Assert.Equal("▁ x y", ModelBuilder.Pieces(tokenizer, "A").Trim());
        Assert.Equal("▁", ModelBuilder.Pieces(tokenizer, "AB")); // by nothing
        Assert.Equal("▁ y y", ModelBuilder.Pieces(tokenizer, "BB"));
    }

    [Theory]
    [InlineData("", "expected a multiple of 4")]
    [InlineData("05000000000000000000", "expected a multiple of 4")]
    [InlineData("08000000FFFFFFFF", "expected a multiple of 4 up to 4 bytes, got 8")]
    [InlineData("0400000000000000FF", "expected UTF-8")]
    public void Malformed_character_maps_are_refused(string hex, string message) =>
        Assert.Contains(message, Assert.Throws<FileFormatException>(() => new CharsMap(Convert.FromHexString(hex), "f")).Message, StringComparison.Ordinal);

    /// <summary>A double-array trie for ASCII sequences: each inner node has 256 units of its own, in blocks, so that nothing collides.</summary>
    private static byte[] Map(string replacements, params (string Key, int At)[] entries)
    {
        var units = new Dictionary<uint, uint>();
        var blocks = new Dictionary<string, uint> { [""] = 0x100 };
        foreach ((string key, _) in entries)
        {
            for (int n = 1; n <= key.Length; n++)
            {
                blocks.TryAdd(key[..n], (uint)(blocks.Count + 1) * 0x100);
            }
        }

        units[0] = blocks[""] << 10;
        foreach ((string prefix, uint block) in blocks.Where(static b => b.Key.Length > 0))
        {
            uint at = blocks[prefix[..^1]] ^ prefix[^1];
            int value = entries.Where(e => e.Key == prefix).Select(static e => e.At).FirstOrDefault(-1);
            units[at] = ((at ^ block) << 10) | (value >= 0 ? 0x100u : 0) | prefix[^1];
            if (value >= 0)
            {
                units[block] = 0x80000000u | (uint)value;
            }
        }

        uint count = units.Keys.Max() + 1;
        var map = new List<byte>(BitConverter.GetBytes(count * 4));
        for (uint i = 0; i < count; i++)
        {
            map.AddRange(BitConverter.GetBytes(units.GetValueOrDefault(i)));
        }

        return [.. map, .. Encoding.UTF8.GetBytes(replacements)];
    }
}
