using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>
/// A model in the first format of llama2.c (spec llama1-3.md 3.5): seven integers, then float32 weights, all layers of a kind together. Its tensors are given
/// under Meta's names, one per layer; rotary rows are interleaved as in Meta's layout. The norms' epsilon is 1e-5 and the rotary base 10,000.
/// </summary>
public sealed class Llama2cFile : TensorFile
{
    private const int HeaderBytes = 28;
    private const int MaxLayers = 1 << 12;

    private readonly OrderedDictionary<string, TensorInfo> _tensors = new(StringComparer.Ordinal);
    private readonly Storage _storage;
    private bool _isFile;

    private Llama2cFile(string path, Storage storage)
    {
        Path = path;
        _storage = storage;
        Header = ReadHeader();
        long length = Place(Header);
        Int128 tables = (Int128)Header.ContextLength * Header.HeadDim * sizeof(float); // cosines and sines of half a head each
        if (storage.ByteLength != length + tables && storage.ByteLength != length)
        {
            throw Error($"llama2.c model: expected {length + tables} bytes for its header (or {length} without rotary tables), got {storage.ByteLength}");
        }

        if (Header.HasOutput)
        {
            long outputBytes = 4L * Header.VocabSize * Header.Dim;
            Add("output.weight", storage.ByteLength - outputBytes, new Shape(Header.VocabSize, Header.Dim));
        }

        Tensors = [.. _tensors.Values];
    }

    /// <inheritdoc/>
    public override string Path { get; }

    /// <summary>Sizes of the model.</summary>
    public Llama2cHeader Header { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorSource> Sources => _isFile ? [new TensorSource(Path, _storage)] : [];

    /// <summary>Opens a file; its length must be exactly what its header says.</summary>
    /// <param name="path">Usually <c>*.bin</c>.</param>
    /// <param name="map">False reads the file into memory instead of mapping it.</param>
    /// <exception cref="PunaException">It is missing or no such file.</exception>
    public static Llama2cFile Open(string path, bool map = true)
    {
        Storage storage = MemoryMappedStorage.Open(path, map);
        try
        {
            Llama2cFile file = Parse(storage, path);
            file._isFile = true;
            return file;
        }
        catch
        {
            storage.Dispose();
            throw;
        }
    }

    /// <summary>Reads a file that is in memory already.</summary>
    /// <param name="storage">Its bytes; belongs to the result unless an exception is thrown.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <exception cref="FileFormatException">It is no such file.</exception>
    public static Llama2cFile Parse(Storage storage, string path) => new(path, storage);

    /// <inheritdoc/>
    public override bool TryGetInfo(string name, [NotNullWhen(true)] out TensorInfo? info) => _tensors.TryGetValue(name, out info);

    /// <inheritdoc/>
    public override Tensor GetTensor(string name) => _tensors.TryGetValue(name, out TensorInfo? info)
        ? new Tensor(_storage, checked((nint)info.Offset), info.Shape, DType.F32)
        : throw Error($"tensor {name}: not in the file");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _storage.Dispose();
        }
    }

    private FileFormatException Error(string message, long offset = -1) => new(Path, message, offset);

    private Llama2cHeader ReadHeader()
    {
        if (_storage.ByteLength < HeaderBytes)
        {
            throw Error($"llama2.c model: expected at least {HeaderBytes} bytes, got {_storage.ByteLength}");
        }

        ReadOnlySpan<byte> bytes = _storage.Span<byte>(0, HeaderBytes);
        int vocab = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        if (vocab == int.MinValue)
        {
            throw Error($"llama2.c vocabulary: expected at least 1, got {vocab}", 20);
        }

        var header = new Llama2cHeader(
            Positive(bytes, 0, "width"),
            Positive(bytes, 4, "feed-forward width"),
            Positive(bytes, 8, "number of layers"),
            Positive(bytes, 12, "number of heads"),
            Positive(bytes, 16, "number of key-value heads"),
            vocab != 0 ? Math.Abs(vocab) : Positive(bytes, 20, "vocabulary"),
            Positive(bytes, 24, "context"),
            vocab < 0);
        if (header.NLayers > MaxLayers)
        {
            throw Error($"llama2.c number of layers: expected at most {MaxLayers}, got {header.NLayers}", 8);
        }

        if (header.Dim % header.NHeads != 0 || header.HeadDim % 2 != 0)
        {
            throw Error($"llama2.c number of heads: expected an even width of heads, got {header.NHeads} heads for width {header.Dim}", 12);
        }

        return header.NHeads % header.NKvHeads == 0
            ? header
            : throw Error($"llama2.c number of key-value heads: expected a divisor of {header.NHeads}, got {header.NKvHeads}", 16);
    }

    private int Positive(ReadOnlySpan<byte> bytes, int at, string what)
    {
        int value = BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
        return value > 0 ? value : throw Error($"llama2.c {what}: expected at least 1, got {value}", at);
    }

    /// <summary>Adds all tensors but the output, in file order; returns the length of the file without rotary tables.</summary>
    private long Place(Llama2cHeader h)
    {
        long at = HeaderBytes;
        long keyValue = (long)h.HeadDim * h.NKvHeads;
        One("tok_embeddings.weight", new Shape(h.VocabSize, h.Dim));
        Each("attention_norm.weight", new Shape(h.Dim));
        Each("attention.wq.weight", new Shape(h.Dim, h.Dim));
        Each("attention.wk.weight", new Shape(keyValue, h.Dim));
        Each("attention.wv.weight", new Shape(keyValue, h.Dim));
        Each("attention.wo.weight", new Shape(h.Dim, h.Dim));
        Each("ffn_norm.weight", new Shape(h.Dim));
        Each("feed_forward.w1.weight", new Shape(h.FfnHidden, h.Dim));
        Each("feed_forward.w2.weight", new Shape(h.Dim, h.FfnHidden));
        Each("feed_forward.w3.weight", new Shape(h.FfnHidden, h.Dim));
        One("norm.weight", new Shape(h.Dim));
        return at + (h.HasOutput ? 4L * h.VocabSize * h.Dim : 0);

        void Each(string name, Shape shape)
        {
            for (int i = 0; i < h.NLayers; i++)
            {
                One(string.Create(CultureInfo.InvariantCulture, $"layers.{i}.{name}"), shape);
            }
        }

        void One(string name, Shape shape)
        {
            long bytes = shape.Count <= _storage.ByteLength / 4 ? shape.Count * 4 : long.MaxValue;
            if (bytes > _storage.ByteLength - at)
            {
                throw Error($"llama2.c tensor {name}: expected {shape} float32 values at byte {at}, got a file of {_storage.ByteLength} bytes");
            }

            Add(name, at, shape);
            at += bytes;
        }
    }

    private void Add(string name, long offset, Shape shape) => _tensors.Add(name, new TensorInfo(name, DType.F32, shape, Path, offset, shape.Count * 4));
}
