using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Gguf;

/// <summary>Writes GGUF version 3 (spec llama1-3.md 3.3): one file, or several in the naming of split checkpoints where one would grow too large.</summary>
public sealed class GgufWriter : TensorWriter
{
    private const uint Version = 3;
    private const string Extension = ".gguf";

    private readonly GgufMetadata _metadata;
    private readonly long _maxPartBytes;
    private readonly int _maxPartTensors;
    private readonly StagedFiles _files = new();
    private int _alignment = GgufFile.DefaultAlignment;
    private int[] _parts = [];
    private int _partCount;
    private int _part = -1;
    private FileStream? _stream;

    /// <summary>Creates a writer.</summary>
    /// <param name="path">The file. Of several, the names are <c>prefix-00001-of-00003.gguf</c> and so on for a path of <c>prefix.gguf</c>.</param>
    /// <param name="metadata">The key-value pairs, taken when <see cref="TensorWriter.Begin"/> is called; <c>general.alignment</c> is obeyed, <c>split.*</c>
    /// are
    /// the writer's own. Of several files the first has all of them.</param>
    /// <param name="maxPartBytes">A file is ended before its data would exceed this; a single larger tensor gets a file of its own.</param>
    /// <param name="maxPartTensors">The most tensors in a file.</param>
    public GgufWriter(string path, GgufMetadata metadata, long maxPartBytes = long.MaxValue, int maxPartTensors = int.MaxValue)
        : base(path)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxPartBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxPartTensors);
        _metadata = metadata;
        _maxPartBytes = maxPartBytes;
        _maxPartTensors = maxPartTensors;
    }

    /// <inheritdoc/>
    protected override void Check(TensorSpec tensor)
    {
        if (tensor.DType >= DType.U8)
        {
            throw new PunaException($"tensor {tensor.Name}: expected a type that GGUF has, got {tensor.DType.Name()} ({Path})");
        }

        if (tensor.Shape.Rank > GgufPart.MaxRank)
        {
            throw new PunaException($"tensor {tensor.Name}: expected at most {GgufPart.MaxRank} dimensions, got {tensor.Shape} ({Path})");
        }

        int length = Encoding.UTF8.GetByteCount(tensor.Name);
        if (length > GgufPart.MaxNameBytes)
        {
            throw new PunaException($"tensor {tensor.Name}: expected a name of at most {GgufPart.MaxNameBytes} bytes, got {length} ({Path})");
        }
    }

    /// <inheritdoc/>
    protected override void BeginCore()
    {
        long alignment = _metadata.GetInteger("general.alignment") ?? GgufFile.DefaultAlignment;
        if (alignment is < 1 or > GgufPart.MaxAlignment || (alignment & (alignment - 1)) != 0)
        {
            throw new PunaException($"metadata general.alignment: expected a power of two up to {GgufPart.MaxAlignment}, got {alignment} ({Path})");
        }

        _alignment = (int)alignment;
        Divide();
        StageAttached(_files);
        OpenPart(0); // there is a file even where there are no tensors
    }

    /// <inheritdoc/>
    protected override void BeginTensor(int index)
    {
        if (_parts[index] != _part)
        {
            OpenPart(_parts[index]);
        }
    }

    /// <inheritdoc/>
    protected override void WriteCore(ReadOnlySpan<byte> bytes) => _stream!.Write(bytes);

    /// <summary>Pads, behind the last tensor too, because some readers take whole padded tensors.</summary>
    protected override void EndTensor(int index)
    {
        long length = Tensors[index].ByteLength;
        long padding = Padded(length) - length;
        Span<byte> zeros = stackalloc byte[256];
        zeros.Clear();
        for (; padding > 0; padding -= Math.Min(padding, zeros.Length))
        {
            _stream!.Write(zeros[..(int)Math.Min(padding, zeros.Length)]);
        }
    }

    /// <inheritdoc/>
    protected override void CompleteCore() => _files.Commit();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _files.Dispose();

    /// <summary>Decides which part each tensor goes to.</summary>
    private void Divide()
    {
        _parts = new int[Tensors.Count];
        long bytes = 0;
        int tensors = 0;
        for (int i = 0; i < Tensors.Count; i++)
        {
            long length = Padded(Tensors[i].ByteLength);
            if (tensors == _maxPartTensors || (bytes > 0 && length > _maxPartBytes - bytes))
            {
                _partCount++;
                bytes = 0;
                tensors = 0;
            }

            _parts[i] = _partCount;
            bytes = checked(bytes + length);
            tensors++;
        }

        _partCount++;
        if (_partCount > ushort.MaxValue)
        {
            throw new PunaException($"split checkpoint: expected at most {ushort.MaxValue} parts, got {_partCount} ({Path})");
        }
    }

    private void OpenPart(int part)
    {
        _stream?.Dispose();
        _part = part;
        _stream = _files.Create(PartPath(part));
        _stream.Write(Header(part).Written);
    }

    private string PartPath(int part)
    {
        if (_partCount == 1)
        {
            return Path;
        }

        if (!GgufSplitName.TryParse(Path, out string prefix, out _, out _))
        {
            prefix = Path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? Path[..^Extension.Length] : Path;
        }

        return GgufSplitName.Format(prefix, part + 1, _partCount);
    }

    private GgufHeaderBuffer Header(int part)
    {
        var values = new GgufMetadata(Path);
        foreach ((string key, GgufValue value) in _metadata)
        {
            bool own = key is GgufFile.SplitNumberKey or GgufFile.SplitCountKey or GgufFile.SplitTensorsKey;
            if (!own && (part == 0 || key == "general.alignment"))
            {
                values.Set(key, value);
            }
        }

        if (_partCount > 1)
        {
            values.Set(GgufFile.SplitNumberKey, new GgufValue(GgufValueType.UInt16, (ushort)part));
            values.Set(GgufFile.SplitCountKey, new GgufValue(GgufValueType.UInt16, (ushort)_partCount));
            values.Set(GgufFile.SplitTensorsKey, new GgufValue(GgufValueType.Int32, Tensors.Count));
        }

        TensorSpec[] tensors = [.. Tensors.Where((_, i) => _parts[i] == part)];
        var header = new GgufHeaderBuffer();
        foreach (byte letter in "GGUF"u8)
        {
            header.Write(letter);
        }

        header.Write(Version);
        header.Write((ulong)tensors.Length);
        header.Write((ulong)values.Count);
        foreach ((string key, GgufValue value) in values)
        {
            header.Write(key, value);
        }

        WriteTensors(header, tensors);
        header.Pad(_alignment);
        return header;
    }

    private void WriteTensors(GgufHeaderBuffer header, TensorSpec[] tensors)
    {
        long offset = 0;
        foreach (TensorSpec tensor in tensors)
        {
            header.Write(tensor.Name);
            header.Write((uint)tensor.Shape.Rank);
            for (int d = tensor.Shape.Rank - 1; d >= 0; d--)
            {
                header.Write(tensor.Shape[d]); // innermost first
            }

            header.Write((uint)tensor.DType);
            header.Write(offset);
            offset += Padded(tensor.ByteLength);
        }
    }

    private long Padded(long length) => checked((length + _alignment - 1) / _alignment * _alignment);
}
