using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>
/// A token shard, mapped into memory: documents by number. The header is checked on opening, what a document's entry says when it is read, and everything by <see cref="Verify"/>. May be read by several
/// threads.
/// </summary>
public sealed class TokenShard : IDisposable
{
    private readonly Storage _storage;
    private readonly ShardHeader _header;
    private readonly bool _owned;

    private TokenShard(Storage storage, ShardHeader header, string path, bool owned)
    {
        _storage = storage;
        _header = header;
        Path = path;
        _owned = owned;
    }

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>Number of documents.</summary>
    public long Documents => _header.Documents;

    /// <summary>Number of tokens.</summary>
    public long Tokens => _header.Tokens;

    /// <summary>Bytes of text that they stand for.</summary>
    public long TextBytes => _header.TextBytes;

    /// <summary>What the documents are from.</summary>
    public string Source => _header.Source;

    /// <summary>Ids are below this.</summary>
    public int VocabularySize => _header.VocabularySize;

    /// <summary>What <see cref="TokenizerIdentity"/> says of the tokenizer.</summary>
    public ReadOnlySpan<byte> Tokenizer => _header.Tokenizer;

    /// <summary>A checksum that stands for the whole content.</summary>
    public uint Checksum => _header.Checksum;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="map">False reads the file instead of mapping it.</param>
    /// <exception cref="PunaException">It cannot be read.</exception>
    /// <exception cref="FileFormatException">It is no token shard, or a damaged one.</exception>
    public static TokenShard Open(string path, bool map = true)
    {
        Storage storage = MemoryMappedStorage.Open(path, map);
        try
        {
            return Parse(storage, path, owned: true);
        }
        catch
        {
            storage.Dispose();
            throw;
        }
    }

    /// <summary>Reads a shard that is in memory already; the storage stays the caller's.</summary>
    /// <param name="storage">The bytes.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <exception cref="FileFormatException">It is no token shard, or a damaged one.</exception>
    public static TokenShard Parse(Storage storage, string path)
    {
        ArgumentNullException.ThrowIfNull(storage);
        return Parse(storage, path, owned: false);
    }

    /// <summary>Replaces a document by the one of this number.</summary>
    /// <exception cref="FileFormatException">The entry or a token is not what it should be.</exception>
    public void Read(long number, TokenDocument document)
    {
        ArgumentNullException.ThrowIfNull(document);
        if ((ulong)number >= (ulong)Documents)
        {
            throw new ArgumentOutOfRangeException(nameof(number), number, $"expected 0 to {Documents - 1}");
        }

        document.Clear();
        (long start, long end, long textBytes) = Entry(number);
        document.TextBytes = textBytes;
        document.Tokens.EnsureCapacity((int)(end - start));
        document.Weights.EnsureCapacity((int)(end - start));
        const int Step = 1 << 16;
        for (long at = start; at < end; at += Step)
        {
            int count = (int)Math.Min(Step, end - at);
            ReadOnlySpan<byte> bytes = _storage.Span<byte>((nint)(ShardHeader.Bytes + (at * _header.TokenBytes)), count * _header.TokenBytes);
            for (int i = 0; i < count; i++)
            {
                uint token = _header.TokenBytes == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) : BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 * i)..]);
                if (token >= (uint)VocabularySize)
                {
                    throw new FileFormatException(Path, $"token: expected 0 to {VocabularySize - 1}, got {token}", ShardHeader.Bytes + ((at + i) * _header.TokenBytes));
                }

                document.Tokens.Add((int)token);
                document.Weights.Add(1);
            }
        }
    }

    /// <summary>Reads everything and compares checksums, the order of the index and the range of the ids.</summary>
    /// <exception cref="FileFormatException">Something is not what it should be.</exception>
    public void Verify()
    {
        CheckSum("tokens", ShardHeader.Bytes, Tokens * _header.TokenBytes, _header.TokensChecksum);
        CheckSum("index", _header.IndexOffset, Documents * ShardHeader.IndexEntryBytes, _header.IndexChecksum);
        long padding = ShardHeader.Bytes + (Tokens * _header.TokenBytes);
        if (_storage.Span<byte>((nint)padding, (int)(_header.IndexOffset - padding)).IndexOfAnyExcept((byte)0) >= 0)
        {
            throw new FileFormatException(Path, "token shard bytes between tokens and index: expected zeros, got others", padding);
        }

        var document = new TokenDocument();
        long textBytes = 0;
        for (long i = 0; i < Documents; i++)
        {
            Read(i, document);
            textBytes = unchecked(textBytes + document.TextBytes);
        }

        if (Documents == 0 ? Tokens != 0 : Entry(Documents - 1).End != Tokens)
        {
            throw new FileFormatException(Path, $"token shard index: expected documents of {Tokens} tokens, got {(Documents == 0 ? 0 : Entry(Documents - 1).End)}", _header.IndexOffset);
        }

        if (textBytes != TextBytes)
        {
            throw new FileFormatException(Path, $"token shard index: expected documents of {TextBytes} bytes of text, got {textBytes}", _header.IndexOffset);
        }
    }

    /// <summary>Unmaps the file.</summary>
    public void Dispose()
    {
        if (_owned)
        {
            _storage.Dispose();
        }
    }

    private static TokenShard Parse(Storage storage, string path, bool owned)
    {
        ReadOnlySpan<byte> start = storage.Span<byte>(0, (int)Math.Min(ShardHeader.Bytes, storage.ByteLength));
        return new TokenShard(storage, ShardHeader.Read(start, storage.ByteLength, path), path, owned);
    }

    private (long Start, long End, long TextBytes) Entry(long number)
    {
        long offset = _header.IndexOffset + (number * ShardHeader.IndexEntryBytes);
        ReadOnlySpan<byte> entry = _storage.Span<byte>((nint)offset, ShardHeader.IndexEntryBytes);
        long start = number == 0 ? 0 : BinaryPrimitives.ReadInt64LittleEndian(_storage.Span<byte>((nint)(offset - ShardHeader.IndexEntryBytes), 8));
        long end = BinaryPrimitives.ReadInt64LittleEndian(entry);
        long textBytes = BinaryPrimitives.ReadInt64LittleEndian(entry[8..]);
        if (start < 0 || end <= start || end > Tokens || end - start > int.MaxValue / 2)
        {
            throw new FileFormatException(Path, $"token shard document {number}: expected an end behind {start} and up to {Tokens}, got {end}", offset);
        }

        return textBytes >= 0 ? (start, end, textBytes)
            : throw new FileFormatException(Path, $"token shard document {number}: expected bytes of text of at least 0, got {textBytes}", offset + 8);
    }

    private void CheckSum(string what, long offset, long length, uint expected)
    {
        const int Step = 1 << 24;
        uint crc = 0;
        for (long at = 0; at < length; at += Step)
        {
            crc = Crc32C.Append(crc, _storage.Span<byte>((nint)(offset + at), (int)Math.Min(Step, length - at)));
        }

        if (crc != expected)
        {
            throw new FileFormatException(Path, $"token shard checksum of the {what}: expected {expected:x8}, got {crc:x8}", offset);
        }
    }
}
