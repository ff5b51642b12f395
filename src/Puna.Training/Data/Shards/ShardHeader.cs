using System.Buffers.Binary;
using System.Text;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>The first 512 bytes of a token shard; docs/data.md has the table.</summary>
internal sealed record ShardHeader
{
    public const int Bytes = 512;
    public const uint Version = 1;
    public const int IndexEntryBytes = 16;
    public const int LongestSource = 256;

    private const int SourceOffset = 128;
    private const int ChecksumOffset = Bytes - 4;

    /// <summary>Eight bytes that every shard begins with; the line breaks show what a transfer as text has done.</summary>
    private static ReadOnlySpan<byte> Magic => "PUNATOK\n"u8;

    public required int TokenBytes { get; init; }

    public required int VocabularySize { get; init; }

    public required long Documents { get; init; }

    public required long Tokens { get; init; }

    public required long TextBytes { get; init; }

    /// <summary>What <see cref="TokenizerIdentity"/> says of the tokenizer, 32 bytes.</summary>
    public required byte[] Tokenizer { get; init; }

    public required string Source { get; init; }

    public required uint TokensChecksum { get; init; }

    public required uint IndexChecksum { get; init; }

    /// <summary>Byte of the index: behind the tokens, at the next multiple of 16.</summary>
    public long IndexOffset => Bytes + (((Tokens * TokenBytes) + 15) & ~15L);

    public long FileLength => IndexOffset + (Documents * IndexEntryBytes);

    /// <summary>Checksum over everything above, as it stands at the end of the header.</summary>
    public uint Checksum { get; private init; }

    public byte[] Write()
    {
        byte[] bytes = new byte[Bytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), (uint)TokenBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), (ulong)VocabularySize);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), (ulong)Documents);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), (ulong)Tokens);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40), (ulong)TextBytes);
        Tokenizer.CopyTo(bytes, 48);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(80), TokensChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(84), IndexChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(88), (uint)Encoding.UTF8.GetBytes(Source, bytes.AsSpan(SourceOffset, LongestSource)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumOffset), Crc32C.Append(0, bytes.AsSpan(0, ChecksumOffset)));
        return bytes;
    }

    /// <summary>Reads and checks a header; afterwards everything that it speaks of lies within the file.</summary>
    /// <param name="bytes">The first bytes of the file, at most <see cref="Bytes"/>.</param>
    /// <param name="fileLength">Length of the whole file.</param>
    /// <param name="file">Its path.</param>
    /// <exception cref="FileFormatException">A field is not what it should be.</exception>
    public static ShardHeader Read(ReadOnlySpan<byte> bytes, long fileLength, string file)
    {
        if (bytes.Length < Bytes)
        {
            throw new FileFormatException(file, $"token shard: expected at least {Bytes} bytes, got {fileLength}", 0);
        }

        Expect(bytes.StartsWith(Magic), file, 0, "magic", "PUNATOK and a line feed", "something else");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        Expect(version == Version, file, 8, "version", $"{Version}", $"{version}");
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]);
        uint computed = Crc32C.Append(0, bytes[..ChecksumOffset]);
        Expect(checksum == computed, file, ChecksumOffset, "header checksum", $"{computed:x8}", $"{checksum:x8}");
        uint width = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
        Expect(width is 2 or 4, file, 12, "bytes per token", "2 or 4", $"{width}");
        ulong vocabulary = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        Expect(vocabulary is > 0 and <= int.MaxValue && (width == 4 || vocabulary <= 1 << 16), file, 16, "vocabulary size", width == 2 ? "1 to 65536" : "1 to 2147483647", $"{vocabulary}");
        ulong documents = BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]);
        ulong most = (ulong)fileLength / IndexEntryBytes;
        Expect(documents <= most, file, 24, "documents", $"at most {most}, which the file has room for", $"{documents}");
        ulong tokens = BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]);
        most = (ulong)fileLength / width;
        Expect(tokens <= most, file, 32, "tokens", $"at most {most}, which the file has room for", $"{tokens}");
        ulong textBytes = BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..]);
        Expect(textBytes <= long.MaxValue, file, 40, "text bytes", $"at most {long.MaxValue}", $"{textBytes}");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[88..]);
        Expect(length <= LongestSource, file, 88, "length of the source's name", $"at most {LongestSource}", $"{length}");
        ReadOnlySpan<byte> name = bytes.Slice(SourceOffset, (int)length);
        Expect(System.Text.Unicode.Utf8.IsValid(name), file, SourceOffset, "source's name", "UTF-8", "other bytes");
        Expect(bytes[92..SourceOffset].IndexOfAnyExcept((byte)0) < 0, file, 92, "reserved bytes", "zeros", "others");
        Expect(bytes[(SourceOffset + (int)length)..ChecksumOffset].IndexOfAnyExcept((byte)0) < 0, file, SourceOffset + length, "bytes behind the source's name", "zeros", "others");
        var header = new ShardHeader
        {
            TokenBytes = (int)width,
            VocabularySize = (int)vocabulary,
            Documents = (long)documents,
            Tokens = (long)tokens,
            TextBytes = (long)textBytes,
            Tokenizer = bytes[48..80].ToArray(),
            Source = Encoding.UTF8.GetString(name),
            TokensChecksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[80..]),
            IndexChecksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[84..]),
            Checksum = checksum,
        };
        Expect(header.FileLength == fileLength, file, 24, "length of the file", $"{header.FileLength} bytes for {documents} documents and {tokens} tokens", $"{fileLength}");
        return header;
    }

    private static void Expect(bool holds, string file, long offset, string what, string expected, string got)
    {
        if (!holds)
        {
            throw new FileFormatException(file, $"token shard {what}: expected {expected}, got {got}", offset);
        }
    }
}
