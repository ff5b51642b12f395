using System.Diagnostics.CodeAnalysis;
using Puna.Tensors;

namespace Puna.Formats.Safetensors;

/// <summary>
/// A checkpoint in safetensors form (spec llama1-3.md 3.2): one file, or several that an index lists. Tensors are views of the mapped files; where a
/// header leaves values misaligned they are copied on first use.
/// </summary>
public sealed class SafetensorsFile : TensorFile
{
    /// <summary>Name of a checkpoint in one file.</summary>
    public const string SingleName = "model.safetensors";

    /// <summary>End of the name of an index; <see cref="SingleName"/> becomes <c>model.safetensors.index.json</c>.</summary>
    public const string IndexSuffix = ".index.json";

    private readonly TensorStore _store;
    private readonly List<TensorSource> _sources = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafetensorsFile(string path)
    {
        Path = path;
        _store = new TensorStore(path);
    }

    /// <inheritdoc/>
    public override string Path { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => _store.Infos;

    /// <inheritdoc/>
    public override IReadOnlyList<TensorSource> Sources => _sources;

    /// <summary>The strings under <c>__metadata__</c>; of several files the first that has a key counts.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Opens a checkpoint and validates everything its headers say.</summary>
    /// <param name="path">
    /// A safetensors file, an index (<c>*.index.json</c>), or a folder: there <c>model.safetensors</c> is taken, else its index, else the only safetensors
    /// file or index.
    /// </param>
    /// <param name="map">False reads the files into memory instead of mapping them.</param>
    /// <exception cref="PunaException">A file is missing or cannot be read.</exception>
    /// <exception cref="FileFormatException">A file is damaged, or the files do not fit together.</exception>
    public static SafetensorsFile Open(string path, bool map = true)
    {
        string file = Directory.Exists(path) ? Find(path) : path;
        var result = new SafetensorsFile(path);
        try
        {
            if (file.EndsWith(IndexSuffix, StringComparison.OrdinalIgnoreCase))
            {
                result.OpenShards(file, map);
            }
            else
            {
                Storage storage = MemoryMappedStorage.Open(file, map);
                result._store.Own(storage);
                result.Add(storage, file);
                result._sources.Add(new TensorSource(file, storage));
            }

            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Reads a single file that is in memory already.</summary>
    /// <param name="storage">Its bytes; belongs to the result unless an exception is thrown.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <exception cref="FileFormatException">The file is damaged.</exception>
    public static SafetensorsFile Parse(Storage storage, string path)
    {
        var result = new SafetensorsFile(path);
        result.Add(storage, path);
        result._store.Own(storage);
        return result;
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

    private static string Find(string folder)
    {
        string single = System.IO.Path.Combine(folder, SingleName);
        if (File.Exists(single))
        {
            return single;
        }

        string index = single + IndexSuffix;
        if (File.Exists(index))
        {
            return index;
        }

        string[] indices = Directory.GetFiles(folder, "*.safetensors" + IndexSuffix);
        string[] files = indices.Length > 0 ? indices : Directory.GetFiles(folder, "*.safetensors");
        return files.Length switch
        {
            1 => files[0],
            0 => throw new PunaException($"folder {folder}: expected {SingleName} or {SingleName}{IndexSuffix}, got no safetensors file"),
            _ => throw new PunaException($"folder {folder}: expected {SingleName} or one safetensors file, got {files.Length}: name the one that is meant"),
        };
    }

    private void OpenShards(string indexPath, bool map)
    {
        SafetensorsIndex index = ReadIndex(indexPath, map);
        var shards = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach ((string tensor, string shard) in index.WeightMap)
        {
            if (!shards.TryGetValue(shard, out List<string>? tensors))
            {
                shards.Add(shard, tensors = []);
            }

            tensors.Add(tensor);
        }

        string folder = System.IO.Path.GetDirectoryName(indexPath) ?? string.Empty;
        foreach ((string shard, List<string> tensors) in shards)
        {
            string path = System.IO.Path.Combine(folder, shard);
            if (!File.Exists(path))
            {
                throw new FileFormatException(indexPath, $"shard {shard}: expected beside the index, for {tensors.Count} tensors, got no such file");
            }

            Storage storage = MemoryMappedStorage.Open(path, map);
            _store.Own(storage);
            Add(storage, path, tensors, indexPath);
            _sources.Add(new TensorSource(path, storage));
        }
    }

    private static SafetensorsIndex ReadIndex(string path, bool map)
    {
        var file = new FileInfo(path);
        Require(file.Exists ? file.Length : 0); // before reading it; of a link this is only the link's own length
        using Storage text = MemoryMappedStorage.Open(path, map);
        Require(text.ByteLength);
        return SafetensorsIndex.Parse(text.Span<byte>(0, (int)text.ByteLength), path);

        void Require(long length)
        {
            if (length > SafetensorsHeader.MaxBytes)
            {
                throw new FileFormatException(path, $"safetensors index: expected at most {SafetensorsHeader.MaxBytes} bytes, got {length}");
            }
        }
    }

    /// <summary>Adds the tensors of a file: all, or those an index wants of it.</summary>
    private void Add(Storage storage, string path, List<string>? wanted = null, string indexPath = "")
    {
        SafetensorsHeader header = SafetensorsHeader.Parse(storage, path);
        HashSet<string>? names = wanted is null ? null : new HashSet<string>(wanted, StringComparer.Ordinal);
        foreach (TensorInfo tensor in header.Tensors)
        {
            if (names is null || names.Remove(tensor.Name))
            {
                _store.TryAdd(tensor, storage); // names are unique in a header, and an index wants each from one file
            }
        }

        if (names?.Count > 0)
        {
            throw new FileFormatException(
                indexPath,
                $"tensor {names.Min(StringComparer.Ordinal)}: expected in {System.IO.Path.GetFileName(path)}, where the index has it, got none");
        }

        foreach ((string key, string value) in header.Metadata)
        {
            _metadata.TryAdd(key, value);
        }
    }
}
