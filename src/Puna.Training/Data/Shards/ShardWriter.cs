using System.Buffers.Binary;
using Puna.Formats;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>
/// Writes one token shard (docs/data.md has the format). Tokens go to the file as they come and the index to a second temporary file, so that memory does not grow; the shard appears when the
/// <see cref="StagedFiles"/> it was made with are committed.
/// </summary>
public sealed class ShardWriter : IDisposable
{
    private readonly FileStream _file;
    private readonly FileStream _index;
    private readonly string _path;
    private readonly byte[] _tokenizer;
    private readonly int _vocabularySize;
    private readonly int _tokenBytes;
    private readonly string _source;
    private byte[] _bytes = [];
    private uint _tokensChecksum;
    private uint _indexChecksum;

    /// <summary>Begins a shard.</summary>
    /// <param name="files">Makes the file, and puts it in place later.</param>
    /// <param name="path">Where it will be.</param>
    /// <param name="tokenizer">What <see cref="TokenizerIdentity"/> says of the tokenizer.</param>
    /// <param name="vocabularySize">Ids are below this. Up to 65536 an id takes two bytes, otherwise four.</param>
    /// <param name="source">What the documents are from, at most 256 bytes of UTF-8.</param>
    /// <exception cref="PunaException">The file cannot be written.</exception>
    public ShardWriter(StagedFiles files, string path, ReadOnlySpan<byte> tokenizer, int vocabularySize, string source)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        ArgumentOutOfRangeException.ThrowIfNotEqual(tokenizer.Length, 32);
        if (System.Text.Encoding.UTF8.GetByteCount(source) > ShardHeader.LongestSource)
        {
            throw new PunaException($"source {source}: expected a name of at most {ShardHeader.LongestSource} bytes");
        }

        _path = path;
        _tokenizer = tokenizer.ToArray();
        _vocabularySize = vocabularySize;
        _tokenBytes = vocabularySize <= 1 << 16 ? 2 : 4;
        _source = source;
        _file = files.Create(path);
        _file.Write(new byte[ShardHeader.Bytes]);
        string index = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Path.GetFileName(path)}.{Path.GetRandomFileName()}.tmp");
        _index = new FileStream(index, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 14, FileOptions.DeleteOnClose);
    }

    /// <summary>Documents written.</summary>
    public long Documents { get; private set; }

    /// <summary>Tokens written.</summary>
    public long Tokens { get; private set; }

    /// <summary>Bytes of text that the tokens stand for.</summary>
    public long TextBytes { get; private set; }

    /// <summary>Appends a document.</summary>
    /// <param name="tokens">Its ids, at least one.</param>
    /// <param name="textBytes">Bytes of its text.</param>
    /// <exception cref="PunaException">An id is not in the vocabulary.</exception>
    public void Add(ReadOnlySpan<int> tokens, long textBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(textBytes);
        if (tokens.IsEmpty)
        {
            throw new ArgumentException("a document of a shard has at least one token", nameof(tokens));
        }

        int length = checked(tokens.Length * _tokenBytes);
        if (_bytes.Length < length)
        {
            _bytes = new byte[Math.Max(length, 1 << 14)];
        }

        Span<byte> bytes = _bytes.AsSpan(0, length);
        for (int i = 0; i < tokens.Length; i++)
        {
            int token = tokens[i];
            if ((uint)token >= (uint)_vocabularySize)
            {
                throw new PunaException($"token of {_path}: expected 0 to {_vocabularySize - 1}, got {token}");
            }

            if (_tokenBytes == 2)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(bytes[(i * 2)..], (ushort)token);
            }
            else
            {
                BinaryPrimitives.WriteInt32LittleEndian(bytes[(i * 4)..], token);
            }
        }

        _file.Write(bytes);
        _tokensChecksum = Crc32C.Append(_tokensChecksum, bytes);
        Tokens += tokens.Length;
        TextBytes += textBytes;
        Documents++;
        Span<byte> entry = stackalloc byte[ShardHeader.IndexEntryBytes];
        BinaryPrimitives.WriteInt64LittleEndian(entry, Tokens);
        BinaryPrimitives.WriteInt64LittleEndian(entry[8..], textBytes);
        _index.Write(entry);
        _indexChecksum = Crc32C.Append(_indexChecksum, entry);
    }

    /// <summary>Writes the index and the header and closes the file.</summary>
    /// <returns>The header's checksum, which stands for the whole content.</returns>
    public uint Complete()
    {
        var header = new ShardHeader
        {
            TokenBytes = _tokenBytes,
            VocabularySize = _vocabularySize,
            Documents = Documents,
            Tokens = Tokens,
            TextBytes = TextBytes,
            Tokenizer = _tokenizer,
            Source = _source,
            TokensChecksum = _tokensChecksum,
            IndexChecksum = _indexChecksum,
        };
        _file.Write(new byte[header.IndexOffset - _file.Position]);
        _index.Position = 0;
        _index.CopyTo(_file);
        byte[] bytes = header.Write();
        _file.Position = 0;
        _file.Write(bytes);
        _file.Flush(flushToDisk: true);
        Dispose();
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(ShardHeader.Bytes - 4));
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        _index.Dispose();
        _file.Dispose();
    }
}
