using System.Buffers.Binary;
using System.Text;
using Puna.Formats;
using Puna.Tensors;
using Puna.Training.Data;

namespace Puna.Training.Tests.Data;

/// <summary>A shard gives back what was written, and damage anywhere is found.</summary>
public sealed class TokenShardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ChecksumIsTheOneOfTheStandard()
    {
        // RFC 3720 B.4: 32 bytes of zero; and the usual check string.
        Assert.Equal(0x8A9136AAu, Crc32C.Append(0, new byte[32]));
        Assert.Equal(0xE3069283u, Crc32C.Append(0, "123456789"u8));
        Assert.Equal(0xE3069283u, Crc32C.Append(Crc32C.Append(0, "1234"u8), "56789"u8));
    }

    [Theory]
    [InlineData(100, 2)]
    [InlineData(65536, 2)]
    [InlineData(65537, 4)]
    public void WhatIsWrittenIsRead(int vocabulary, int width)
    {
        var random = new Random(1);
        int[][] documents = [.. Enumerable.Range(0, 200).Select(_ => Enumerable.Range(0, random.Next(1, 50)).Select(_ => random.Next(vocabulary)).ToArray()), [vocabulary - 1]];
        string path = Write(documents, vocabulary);
        using TokenShard shard = TokenShard.Open(path);
        shard.Verify();
        Assert.Equal(documents.Length, shard.Documents);
        Assert.Equal(documents.Sum(d => d.Length), shard.Tokens);
        Assert.Equal(documents.Sum(d => 2L * d.Length), shard.TextBytes);
        Assert.Equal("süße Quelle", shard.Source);
        Assert.Equal(vocabulary, shard.VocabularySize);
        Assert.Equal(new FileInfo(path).Length, 512 + (((shard.Tokens * width) + 15) / 16 * 16) + (16 * documents.Length));
        var document = new TokenDocument();
        for (int i = 0; i < documents.Length; i++)
        {
            shard.Read(i, document);
            Assert.Equal(documents[i], document.Tokens);
            Assert.All(document.Weights, w => Assert.Equal(1, w));
            Assert.Equal(documents[i].Length, document.Weights.Count);
            Assert.Equal(2 * documents[i].Length, document.TextBytes);
        }
    }

    [Fact]
    public void ABitFlippedAnywhereIsFound()
    {
        byte[] whole = File.ReadAllBytes(Write([[1, 2, 3], [4], [5, 6]], 100));
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] damaged = [.. whole];
            damaged[i] ^= 1 << 3;
            Assert.Throws<Tensors.FileFormatException>(() => Check(damaged));
        }

        for (int length = 0; length < whole.Length; length += 7)
        {
            Assert.Throws<Tensors.FileFormatException>(() => Check(whole[..length]));
        }

        Assert.Throws<Tensors.FileFormatException>(() => Check([.. whole, 0]));
        Check(whole);
    }

    [Theory]
    [InlineData(8, 2u, "version: expected 1, got 2")]
    [InlineData(12, 3u, "bytes per token: expected 2 or 4, got 3")]
    [InlineData(16, 0u, "vocabulary size: expected 1 to 65536, got 0")]
    [InlineData(24, 4000u, "documents: expected at most 36")]
    [InlineData(24, 4u, "length of the file: expected 592 bytes for 4 documents and 6 tokens, got 576")]
    [InlineData(32, 4000u, "tokens: expected at most 288")]
    [InlineData(88, 257u, "length of the source's name: expected at most 256, got 257")]
    [InlineData(92, 1u, "reserved bytes: expected zeros")]
    public void EveryFieldOfAHeaderIsChecked(int offset, uint value, string expected)
    {
        byte[] bytes = File.ReadAllBytes(Write([[1, 2, 3], [4], [5, 6]], 100));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(508), Crc32C.Append(0, bytes.AsSpan(0, 508)));
        Tensors.FileFormatException e = Assert.Throws<Tensors.FileFormatException>(() => Check(bytes));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Equal(offset, e.Offset);
        Assert.Contains("shard.punatok", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 7L)]
    [InlineData(0, 0L)]
    [InlineData(0, -1L)]
    [InlineData(16, 2L)]
    [InlineData(32, 5L)]
    [InlineData(8, -5L)]
    [InlineData(8, 7L)]
    public void EveryEntryOfTheIndexIsChecked(int offset, long value)
    {
        byte[] bytes = File.ReadAllBytes(Write([[1, 2, 3], [4], [5, 6]], 100));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(528 + offset), value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(84), Crc32C.Append(0, bytes.AsSpan(528)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(508), Crc32C.Append(0, bytes.AsSpan(0, 508)));
        Assert.Throws<Tensors.FileFormatException>(() => Check(bytes));
    }

    [Fact]
    public void WritersRefuseWhatReadersWould()
    {
        using var files = new StagedFiles();
        using var writer = new ShardWriter(files, _folder.File("x.punatok"), new byte[32], 10, "s");
        Assert.Contains("expected 0 to 9, got 10", Assert.Throws<PunaException>(() => writer.Add([10], 1)).Message, StringComparison.Ordinal);
        Assert.Throws<PunaException>(() => writer.Add([-1], 1));
        Assert.Throws<ArgumentException>(() => writer.Add([], 1));
        Assert.Throws<PunaException>(() => new ShardWriter(files, _folder.File("y.punatok"), new byte[32], 10, new string('x', 257)));
    }

    [Fact]
    public void WithoutACommitNothingIsLeft()
    {
        using (var files = new StagedFiles())
        using (var writer = new ShardWriter(files, _folder.File("x.punatok"), new byte[32], 10, "s"))
        {
            writer.Add([1], 1);
            writer.Complete();
        }

        Assert.Empty(_folder.Names());
    }

    private void Check(byte[] bytes)
    {
        string path = _folder.File("shard.punatok");
        File.WriteAllBytes(path, bytes);
        using TokenShard shard = TokenShard.Open(path, map: false);
        shard.Verify();
    }

    private string Write(int[][] documents, int vocabulary)
    {
        string path = _folder.File("a.punatok");
        using var files = new StagedFiles();
        using var writer = new ShardWriter(files, path, Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(), vocabulary, "süße Quelle");
        foreach (int[] document in documents)
        {
            writer.Add(document, 2 * document.Length);
        }

        writer.Complete();
        files.Commit();
        return path;
    }
}
