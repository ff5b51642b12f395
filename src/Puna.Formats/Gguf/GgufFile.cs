using System.Diagnostics.CodeAnalysis;
using Puna.Tensors;

namespace Puna.Formats.Gguf;

/// <summary>
/// A GGUF checkpoint (spec llama1-3.md 3.3): versions 2 and 3, little-endian, in one file or split. Tensors are views of the mapped files, their shapes in
/// PyTorch order.
/// </summary>
public sealed class GgufFile : TensorFile
{
    /// <summary>Alignment of tensor data where <c>general.alignment</c> does not say otherwise.</summary>
    public const int DefaultAlignment = 32;

    internal const string SplitNumberKey = "split.no";
    internal const string SplitCountKey = "split.count";
    internal const string SplitTensorsKey = "split.tensors.count";

    private readonly TensorStore _store;
    private readonly List<TensorSource> _sources = [];

    private GgufFile(string path, GgufPart first)
    {
        Path = path;
        Version = first.Version;
        Metadata = first.Metadata;
        _store = new TensorStore(path);
    }

    /// <inheritdoc/>
    public override string Path { get; }

    /// <summary>Version of the format, 2 or 3.</summary>
    public int Version { get; }

    /// <summary>The key-value pairs; of a split checkpoint those of its first file.</summary>
    public GgufMetadata Metadata { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => _store.Infos;

    /// <inheritdoc/>
    public override IReadOnlyList<TensorSource> Sources => _sources;

    /// <summary>Opens a checkpoint and validates everything its header says.</summary>
    /// <param name="path">A GGUF file; of a split checkpoint the first, the others are found beside it.</param>
    /// <param name="map">False reads the files into memory instead of mapping them.</param>
    /// <exception cref="PunaException">The file is missing or cannot be read.</exception>
    /// <exception cref="FileFormatException">The file is damaged, of an unknown version or type, or a part of it is missing.</exception>
    public static GgufFile Open(string path, bool map = true)
    {
        Storage storage = MemoryMappedStorage.Open(path, map);
        GgufFile? file = null;
        try
        {
            GgufPart part = GgufPart.Parse(storage, path);
            file = new GgufFile(path, part);
            file.Add(part, storage);
            file._sources.Add(new TensorSource(path, storage));
            if (part.Metadata.GetInteger(SplitCountKey) is { } count and not (0 or 1)) // tools that merge parts leave a 0
            {
                file.OpenOthers(count, map);
            }

            return file;
        }
        catch
        {
            file?.Dispose();
            storage.Dispose();
            throw;
        }
    }

    /// <summary>Reads one file that is in memory already; of a split checkpoint it is taken alone.</summary>
    /// <param name="storage">Its bytes; belongs to the result unless an exception is thrown.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <exception cref="FileFormatException">The file is damaged.</exception>
    public static GgufFile Parse(Storage storage, string path)
    {
        GgufPart part = GgufPart.Parse(storage, path);
        var file = new GgufFile(path, part);
        file.Add(part, storage);
        return file;
    }

    /// <inheritdoc/>
    public override bool TryGetInfo(string name, [NotNullWhen(true)] out TensorInfo? info) => _store.TryGetInfo(name, out info);

    /// <inheritdoc/>
    public override Tensor GetTensor(string name) => _store.Get(name);

    /// <inheritdoc/>
    public override void Release(Tensor tensor) => _store.Release(tensor);

    /// <inheritdoc/>
    public override void Discard(string name, Tensor tensor) => _store.Discard(name, tensor);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _store.Dispose();

    private void Add(GgufPart part, Storage storage)
    {
        _store.Own(storage);
        foreach (TensorInfo tensor in part.Tensors)
        {
            if (!_store.TryAdd(tensor, storage))
            {
                _ = _store.TryGetInfo(tensor.Name, out TensorInfo? other);
                throw new FileFormatException(
                    tensor.File,
                    $"tensor {tensor.Name}: expected in one part, got it in {System.IO.Path.GetFileName(other!.File)} too");
            }
        }
    }

    private void OpenOthers(long count, bool map)
    {
        if (count is < 1 or > ushort.MaxValue)
        {
            throw new FileFormatException(Path, $"metadata {SplitCountKey}: expected 1 to {ushort.MaxValue}, got {count}");
        }

        long number = Require(Metadata, Path, SplitNumberKey);
        if (number < 0 || number >= count)
        {
            throw new FileFormatException(Path, $"metadata {SplitNumberKey}: expected 0 to {count - 1}, got {number}");
        }

        bool named = GgufSplitName.TryParse(Path, out string prefix, out int nameNumber, out int nameCount);
        if (number != 0)
        {
            string first = named ? System.IO.Path.GetFileName(GgufSplitName.Format(prefix, 1, (int)count)) : "the first part";
            throw new FileFormatException(Path, $"split checkpoint: expected the first of {count} parts, got part {number + 1}: open {first} instead");
        }

        if (!named || nameNumber != 1 || nameCount != count)
        {
            throw new FileFormatException(
                Path,
                $"file name: expected one that ends in {GgufSplitName.Format(string.Empty, 1, (int)count)}, as the other parts are found by it");
        }

        long tensors = Require(Metadata, Path, SplitTensorsKey);
        for (int i = 1; i < count; i++)
        {
            OpenOther(GgufSplitName.Format(prefix, i + 1, (int)count), i, (int)count, map);
        }

        if (_store.Infos.Count != tensors)
        {
            throw new FileFormatException(Path, $"metadata {SplitTensorsKey}: expected the {_store.Infos.Count} tensors of all parts, got {tensors}");
        }
    }

    private void OpenOther(string path, int index, int count, bool map)
    {
        if (!File.Exists(path))
        {
            throw new FileFormatException(Path, $"part {index + 1} of {count}: expected {System.IO.Path.GetFileName(path)} beside the first, got no such file");
        }

        Storage storage = MemoryMappedStorage.Open(path, map);
        try
        {
            GgufPart part = GgufPart.Parse(storage, path);
            RequireEqual(part.Metadata, path, SplitNumberKey, index);
            RequireEqual(part.Metadata, path, SplitCountKey, count);
            Add(part, storage);
            _sources.Add(new TensorSource(path, storage));
        }
        catch
        {
            storage.Dispose();
            throw;
        }
    }

    private static long Require(GgufMetadata metadata, string path, string key) =>
        metadata.GetInteger(key) ?? throw new FileFormatException(path, $"metadata {key}: expected in a split checkpoint, got none");

    private static void RequireEqual(GgufMetadata metadata, string path, string key, long expected)
    {
        long value = Require(metadata, path, key);
        if (value != expected)
        {
            throw new FileFormatException(path, $"metadata {key}: expected {expected}, got {value}");
        }
    }
}
