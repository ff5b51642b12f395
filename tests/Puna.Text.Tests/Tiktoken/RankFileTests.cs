using System.Text;
using Puna.Tensors;
using Puna.Text.Tiktoken;
using Puna.Text.Vocabularies;

namespace Puna.Text.Tests.Tiktoken;

public class RankFileTests
{
    private static readonly string[] Bytes = [.. Enumerable.Range(0, 256).Select(static i => $"{Convert.ToBase64String([(byte)i])} {i}")];

    [Fact]
    public void Lines_may_come_in_any_order_with_blank_lines_and_any_line_ends()
    {
        string text = "\r\n\n" + string.Join("\r\n", Bytes.Reverse()) + "\n\nYWI=\t256\n";
        TokenTable ranks = RankFile.Read(Encoding.ASCII.GetBytes(text), "f");
        Assert.Equal(257, ranks.Count);
        Assert.Equal(256, ranks.Find("ab"u8));
        Assert.Equal(255, ranks.Find([0xFF]));
        Assert.True(RankFile.Recognise(Encoding.ASCII.GetBytes(text)));
    }

    /// <summary>Merging asks tables of its own first, which must never hide a token.</summary>
    [Fact]
    public void Merging_finds_what_a_search_finds()
    {
        var random = new Random(3);
        HashSet<string> tokens = [.. Enumerable.Range(0, 5000).Select(_ => string.Concat(Enumerable.Range(0, random.Next(2, 6)).Select(_ => (char)('a' + random.Next(8)))))];
        string[] all = [.. tokens];
        TokenTable ranks = RankFile.Read(Encoding.ASCII.GetBytes(string.Join('\n', Bytes.Concat(all.Select(static (t, i) => $"{Convert.ToBase64String(Encoding.ASCII.GetBytes(t))} {i + 256}")))), "f");
        for (int i = 0; i < all.Length; i++)
        {
            Assert.Equal(i + 256, ranks.FindMerged(Encoding.ASCII.GetBytes(all[i])));
        }

        for (int i = 0; i < 1 << 16; i++)
        {
            ReadOnlySpan<byte> pair = [(byte)(i >> 8), (byte)i];
            Assert.Equal(ranks.Find(pair), ranks.FindMerged(pair));
        }

        for (int i = 0; i < 100_000; i++)
        {
            byte[] bytes = [.. Enumerable.Range(0, random.Next(3, 8)).Select(_ => (byte)('a' + random.Next(9)))];
            Assert.Equal(ranks.Find(bytes), ranks.FindMerged(bytes));
        }
    }

    [Fact]
    public void What_is_written_is_read()
    {
        TokenTable ranks = RankFile.Read(Encoding.ASCII.GetBytes(string.Join('\n', Bytes)), "f");
        using var output = new MemoryStream();
        RankFile.Write(ranks, 256, output);
        Assert.Equal(string.Join('\n', Bytes) + "\n", Encoding.ASCII.GetString(output.ToArray()));
    }

    [Theory]
    [InlineData("YWI=", "expected base64 and a rank, got YWI=")]
    [InlineData("YW*= 256", "expected base64 of 1 to 4096 bytes, got YW*=")]
    [InlineData("YWI 256", "expected base64 of 1 to 4096 bytes, got YWI")]
    [InlineData("YWI= 257", "rank: expected 0 to 256, each once, got 257")]
    [InlineData("YWI= -1", "rank: expected 0 to 256, each once, got -1")]
    [InlineData("YWI= x", "each once, got x")]
    [InlineData("YWI= 99999999999999999999", "each once, got 99999999999999999999")]
    [InlineData("YWI= 25 6", "each once, got 25 6")]
    [InlineData("YWI= 7", "rank 7: expected once, got it again")]
    [InlineData("QQ== 256", "token QQ==: expected once, got it as 65 and 256")]
    public void Bad_lines_are_refused_with_their_place(string line, string message)
    {
        string text = string.Join('\n', Bytes) + "\n";
        FileFormatException error = Assert.Throws<FileFormatException>(() => RankFile.Read(Encoding.ASCII.GetBytes(text + line), "f"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(text.Length, error.Offset);
    }

    [Fact]
    public void Every_byte_must_be_a_token()
    {
        string text = string.Join('\n', Bytes[..255]) + "\nYWI= 255";
        Assert.Contains("got none for 0xFF", Assert.Throws<FileFormatException>(() => RankFile.Read(Encoding.ASCII.GetBytes(text), "f")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gap_is_refused() =>
        Assert.Contains("expected 0 to 254, each once, got 255", Assert.Throws<FileFormatException>(() => RankFile.Read(Encoding.ASCII.GetBytes(string.Join('\n', Bytes[1..])), "f")).Message, StringComparison.Ordinal);

    [Fact]
    public void Other_files_are_not_taken_for_ranks()
    {
        Assert.False(RankFile.Recognise("{\"version\": 1}"u8));
        Assert.False(RankFile.Recognise("\n\u0005<unk>"u8));
        Assert.False(RankFile.Recognise(""u8));
        Assert.False(RankFile.Recognise("IQ==\n"u8));
    }
}
