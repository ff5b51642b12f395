using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Puna.Tensors;

namespace Puna.Formats.Safetensors;

/// <summary>
/// Writes safetensors (spec llama1-3.md 3.2): one file, or several with an index where one would grow too large. Within a file the tensors with larger
/// elements come first, so that all values are aligned; the header is padded with spaces to a multiple of eight bytes.
/// </summary>
public sealed class SafetensorsWriter : TensorWriter
{
    private const string Extension = ".safetensors";
    private const int LengthBytes = 8;

    private static readonly JsonWriterOptions _compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterOptions _indented = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };
    private static readonly Dictionary<string, string> _torch = new() { ["format"] = "pt" };

    private readonly IReadOnlyDictionary<string, string> _metadata;
    private readonly long _maxShardBytes;
    private readonly bool _makeFolder;
    private readonly StagedFiles _files = new();
    private int[] _shards = [];
    private long[] _offsets = [];
    private int _shardCount;
    private int _shard = -1;
    private FileStream? _stream;

    /// <summary>Creates a writer.</summary>
    /// <param name="path">The file, usually <c>model.safetensors</c>. Of several files, the names are <c>model-00001-of-00003.safetensors</c> and so on, and
    /// <c>model.safetensors.index.json</c> lists them.</param>
    /// <param name="metadata">Strings for <c>__metadata__</c>, written to every file; null writes <c>format: pt</c>, without which transformers refuses a
    /// checkpoint.</param>
    /// <param name="maxShardBytes">A file is ended before its data would exceed this; a single larger tensor gets a file of its own.</param>
    /// <param name="makeFolder">Makes the folder where it is missing.</param>
    public SafetensorsWriter(string path, IReadOnlyDictionary<string, string>? metadata = null, long maxShardBytes = long.MaxValue, bool makeFolder = false)
        : base(path)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        _metadata = metadata ?? _torch;
        _maxShardBytes = maxShardBytes;
        _makeFolder = makeFolder;
    }

    private string Stem => Path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? Path[..^Extension.Length] : Path;

    /// <inheritdoc/>
    protected override void Check(TensorSpec tensor)
    {
        if (SafetensorsTypes.NameOf(tensor.DType) is null)
        {
            throw new PunaException($"tensor {tensor.Name}: expected a type that safetensors has, got {tensor.DType.Name()} ({Path})");
        }

        if (tensor.Name == "__metadata__")
        {
            throw new PunaException($"tensor {tensor.Name}: expected a name that safetensors does not reserve ({Path})");
        }
    }

    /// <inheritdoc/>
    protected override void BeginCore()
    {
        _shards = new int[Tensors.Count];
        _offsets = new long[Tensors.Count];
        long bytes = 0;
        for (int i = 0; i < Tensors.Count; i++)
        {
            long length = Tensors[i].ByteLength;
            if (bytes > 0 && length > _maxShardBytes - bytes)
            {
                _shardCount++;
                bytes = 0;
            }

            _shards[i] = _shardCount;
            bytes = checked(bytes + length);
        }

        _shardCount++;
        if (_shardCount > 1 && File.Exists(Path))
        {
            // Readers take it before the index: they would read another checkpoint than the one written now.
            throw new PunaException($"file {Path}: expected no such file beside a checkpoint in {_shardCount} files, got one of another checkpoint");
        }

        if (_makeFolder && System.IO.Path.GetDirectoryName(Path) is { Length: > 0 } folder)
        {
            _files.MakeFolder(folder);
        }

        StageAttached(_files);
        OpenShard(0); // there is a file even where there are no tensors
    }

    /// <inheritdoc/>
    protected override void BeginTensor(int index)
    {
        if (_shards[index] != _shard)
        {
            OpenShard(_shards[index]);
        }

        if (_stream!.Position != _offsets[index])
        {
            _stream.Position = _offsets[index];
        }
    }

    /// <inheritdoc/>
    protected override void WriteCore(ReadOnlySpan<byte> bytes) => _stream!.Write(bytes);

    /// <inheritdoc/>
    protected override void CompleteCore()
    {
        if (_shardCount > 1)
        {
            WriteIndex(); // last, so that it never names a file that is not there
        }

        _files.Commit();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _files.Dispose();

    private string ShardPath(int shard) => _shardCount == 1
        ? Path
        : string.Create(CultureInfo.InvariantCulture, $"{Stem}-{shard + 1:D5}-of-{_shardCount:D5}{Extension}");

    private void OpenShard(int shard)
    {
        _stream?.Dispose();
        _shard = shard;
        string path = ShardPath(shard);
        _stream = _files.Create(path);

        // A stable sort: tensors of one element size stay in the order they were declared, which is the order their data comes in.
        int[] order = [.. Enumerable.Range(0, Tensors.Count).Where(i => _shards[i] == shard).OrderByDescending(i => Tensors[i].DType.BlockBytes())];
        byte[] header = Header(order);
        if (header.Length > SafetensorsHeader.MaxBytes)
        {
            throw new PunaException($"safetensors header: expected at most {SafetensorsHeader.MaxBytes} bytes, got {header.Length} ({path})");
        }

        Span<byte> length = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        _stream.Write(length);
        _stream.Write(header);
        foreach (int i in order)
        {
            _offsets[i] += LengthBytes + header.Length;
        }
    }

    /// <summary>The header of the tensors in this order; notes where in the data each lies.</summary>
    private byte[] Header(int[] order)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, _compact))
        {
            json.WriteStartObject();
            if (_metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in _metadata)
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long at = 0;
            foreach (int i in order)
            {
                TensorSpec tensor = Tensors[i];
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", SafetensorsTypes.NameOf(tensor.DType));
                json.WriteStartArray("shape");
                for (int d = 0; d < tensor.Shape.Rank; d++)
                {
                    json.WriteNumberValue(tensor.Shape[d]);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                _offsets[i] = at;
                at += tensor.ByteLength;
                json.WriteNumberValue(at);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        int padded = (buffer.WrittenCount + 7) / 8 * 8;
        byte[] header = new byte[padded];
        buffer.WrittenSpan.CopyTo(header);
        header.AsSpan(buffer.WrittenCount).Fill((byte)' ');
        return header;
    }

    private void WriteIndex()
    {
        FileStream stream = _files.Create(Stem + Extension + SafetensorsFile.IndexSuffix);
        using var json = new Utf8JsonWriter(stream, _indented);
        json.WriteStartObject();
        json.WriteStartObject("metadata");
        json.WriteNumber("total_size", Tensors.Sum(tensor => tensor.ByteLength));
        json.WriteEndObject();
        json.WriteStartObject("weight_map");
        foreach (int i in Enumerable.Range(0, Tensors.Count).OrderBy(i => Tensors[i].Name, StringComparer.Ordinal))
        {
            json.WriteString(Tensors[i].Name, System.IO.Path.GetFileName(ShardPath(_shards[i])));
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
