using System.Diagnostics.CodeAnalysis;
using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>
/// A checkpoint as Meta publishes it: <c>consolidated.NN.pth</c>, one per model-parallel part, and <c>params.json</c> (spec llama1-3.md 3.1). The tensors are
/// the merged ones: with one part views of the mapped file, with several put together in memory each time they are asked for.
/// </summary>
/// <remarks>Memory of a merged (or strided, or misaligned) tensor belongs to the tensor: it goes when the tensor's storage is disposed or no longer
/// referenced, not with this file. <see cref="TensorInfo.File"/> and <see cref="TensorInfo.Offset"/> of a merged tensor are those of its first part.</remarks>
public sealed class MetaCheckpoint : TensorFile
{
    private readonly List<TorchShard> _shards = [];
    private readonly List<TensorSource> _sources = [];
    private readonly List<TensorInfo> _infos = [];
    private readonly Dictionary<string, Merged> _tensors = new(StringComparer.Ordinal);

    private MetaCheckpoint(string path) => Path = path;

    /// <inheritdoc/>
    public override string Path { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => _infos;

    /// <inheritdoc/>
    public override IReadOnlyList<TensorSource> Sources => _sources;

    /// <summary>Number of model-parallel parts.</summary>
    public int Parts => _shards.Count;

    /// <summary>The <c>params.json</c> beside the tensors; null only where a single file without one was opened.</summary>
    public MetaParams? Params { get; private set; }

    /// <summary>Whether a folder holds <c>consolidated.NN.pth</c> or <c>consolidated.pth</c>.</summary>
    /// <exception cref="PunaException">The folder cannot be read.</exception>
    public static bool IsIn(string folder) => MetaParts.Any(folder);

    /// <summary>Opens a checkpoint and validates everything that names, sizes and places tensors.</summary>
    /// <param name="folderOrFile">A folder with <c>params.json</c> and <c>consolidated.00.pth</c>, <c>consolidated.01.pth</c> ... (or <c>consolidated.pth</c>);
    /// any of these parts, which opens all of them; or another torch file with a dict of tensors.</param>
    /// <param name="map">False reads files into memory instead of mapping them.</param>
    /// <exception cref="PunaException">A file is missing or not what it should be; the message names it.</exception>
    public static MetaCheckpoint Open(string folderOrFile, bool map = true)
    {
        bool isFolder = Directory.Exists(folderOrFile);
        string folder = isFolder ? folderOrFile : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(folderOrFile)) ?? folderOrFile;
        IReadOnlyList<string> parts = isFolder || (MetaParts.IsPart(folderOrFile) && File.Exists(folderOrFile)) ? MetaParts.Find(folder) : [folderOrFile];
        string parameters = System.IO.Path.Combine(folder, "params.json");
        var checkpoint = new MetaCheckpoint(folderOrFile);
        try
        {
            if (isFolder || File.Exists(parameters))
            {
                checkpoint.Params = MetaParams.Read(parameters);
            }

            foreach (string part in parts)
            {
                checkpoint._shards.Add(TorchShard.Open(part, map));
                checkpoint._sources.Add(new TensorSource(part, checkpoint._shards[^1].Storage));
            }

            checkpoint.Merge();
            checkpoint.CheckPartCount();
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Reads a single torch file that is in memory already, without <c>params.json</c>.</summary>
    /// <param name="storage">Its bytes; belongs to the result unless an exception is thrown.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <exception cref="FileFormatException">It is not what it should be.</exception>
    public static MetaCheckpoint Parse(Storage storage, string path)
    {
        var checkpoint = new MetaCheckpoint(path);
        checkpoint._shards.Add(TorchShard.Parse(storage, path));
        checkpoint.Merge();
        return checkpoint;
    }

    /// <inheritdoc/>
    public override bool TryGetInfo(string name, [NotNullWhen(true)] out TensorInfo? info)
    {
        info = _tensors.GetValueOrDefault(name)?.Info;
        return info is not null;
    }

    /// <inheritdoc/>
    public override Tensor GetTensor(string name)
    {
        if (!_tensors.TryGetValue(name, out Merged? merged))
        {
            throw new FileFormatException(Path, $"tensor {name}: not in the file");
        }

        TensorInfo info = merged.Info;
        TorchShard.Entry first = merged.Parts[0];
        int size = info.DType.BlockBytes();
        if (merged.Split == MetaSplit.Replicated)
        {
            return first.IsContiguous && (_shards[0].Storage.Address + (nint)first.Offset) % size == 0
                ? new Tensor(_shards[0].Storage, checked((nint)first.Offset), info.Shape, info.DType)
                : new Tensor(_shards[0].Gather(first), 0, info.Shape, info.DType);
        }

        CheckCopies(merged);
        var storage = new NativeStorage(checked((nint)info.ByteLength), clear: false);
        long rowBytes = info.DType.RowBytes(info.Shape.Columns), partRowBytes = info.DType.RowBytes(first.Shape.Columns);
        for (int i = 0; i < _shards.Count; i += merged.Step)
        {
            int place = i / merged.Step;
            _shards[i].CopyTo(merged.Parts[i], storage, place * (merged.Split == MetaSplit.Columns ? partRowBytes : first.ByteLength), rowBytes);
        }

        return new Tensor(storage, 0, info.Shape, info.DType);
    }

    /// <summary>What one part has of a tensor, in memory of its own, for values that have to be changed before parts go together: where scales are those of a part.</summary>
    /// <param name="name">Name in the file.</param>
    /// <param name="part">Number of the part.</param>
    /// <param name="row">First row of it in the whole.</param>
    /// <param name="column">First column of it in the whole.</param>
    /// <exception cref="FileFormatException">There is none of this name.</exception>
    public Tensor GetPart(string name, int part, out long row, out long column)
    {
        if (!_tensors.TryGetValue(name, out Merged? merged))
        {
            throw new FileFormatException(Path, $"tensor {name}: not in the file");
        }

        TorchShard.Entry entry = merged.Parts[part];
        (row, column) = merged.Split switch
        {
            MetaSplit.Replicated => (0, 0),
            MetaSplit.Columns => (0, entry.Shape.Columns * (part / merged.Step)),
            _ => (entry.Shape[0] * (part / merged.Step), 0L),
        };
        return new Tensor(_shards[part].Gather(entry), 0, entry.Shape, entry.DType);
    }

    /// <summary>The sizes of what a part has of a tensor; the same in every part.</summary>
    /// <exception cref="FileFormatException">There is none of this name.</exception>
    public Shape PartShape(string name) => _tensors.TryGetValue(name, out Merged? merged) ? merged.Parts[0].Shape : throw new FileFormatException(Path, $"tensor {name}: not in the file");

    /// <summary>Path of a part.</summary>
    public string PathOf(int part) => _shards[part].Path;

    /// <inheritdoc/>
    public override void Release(Tensor tensor)
    {
        if (!_shards.Exists(shard => ReferenceEquals(shard.Storage, tensor.Storage)))
        {
            tensor.Storage.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (TorchShard shard in _shards)
            {
                shard.Dispose();
            }
        }
    }

    /// <summary>Takes Llama 4's tensors to pieces, compares the parts with each other and lists the merged tensors.</summary>
    private void Merge()
    {
        foreach (TorchShard shard in _shards)
        {
            shard.Replace((entry, all) => Llama4Parts.Split(entry, all, Params, _shards.Count, shard.Path));
        }

        TorchShard first = _shards[0];
        foreach (TorchShard other in _shards.Skip(1))
        {
            if (other.Entries.Keys.FirstOrDefault(x => !first.Entries.ContainsKey(x)) is { } extra)
            {
                throw new FileFormatException(other.Path, $"tensor {extra}: expected in every part, missing in {System.IO.Path.GetFileName(first.Path)}");
            }
        }

        foreach (TorchShard.Entry entry in first.Entries.Values)
        {
            var parts = new TorchShard.Entry[_shards.Count];
            for (int i = 0; i < parts.Length; i++)
            {
                TorchShard shard = _shards[i];
                parts[i] = shard.Entries.GetValueOrDefault(entry.Name)
                    ?? throw new FileFormatException(shard.Path, $"tensor {entry.Name}: expected in every part, missing here");
                if (parts[i].Shape != entry.Shape || parts[i].DType != entry.DType)
                {
                    string expected = $"{entry.DType.Name()} {entry.Shape} as in {System.IO.Path.GetFileName(first.Path)}";
                    throw new FileFormatException(shard.Path, $"tensor {entry.Name}: expected {expected}, got {parts[i].DType.Name()} {parts[i].Shape}", parts[i].Offset);
                }
            }

            Merged merged = Combine(entry, parts);
            _tensors.Add(entry.Name, merged);
            _infos.Add(merged.Info);
        }
    }

    private Merged Combine(TorchShard.Entry entry, TorchShard.Entry[] parts)
    {
        TorchShard first = _shards[0];
        MetaSplit split = parts.Length == 1 ? MetaSplit.Replicated : MetaSplits.Find(entry.Name);
        split = split == MetaSplit.Embedding ? EmbeddingSplit(entry) : split;
        int axis = split == MetaSplit.Columns ? 1 : 0, step = 1;
        Shape shape = entry.Shape;
        if (split == MetaSplit.Unknown)
        {
            throw new FileFormatException(first.Path, $"tensor {entry.Name}: expected a name whose {parts.Length} parts are known to go together", entry.Offset);
        }

        if (split != MetaSplit.Replicated)
        {
            if (split == MetaSplit.Columns ? shape.Rank != 2 : shape.Rank < 1)
            {
                throw new FileFormatException(first.Path, $"tensor {entry.Name}: expected a matrix to put {parts.Length} parts together, got {shape}", entry.Offset);
            }

            step = MetaSplits.IsKeyOrValue(entry.Name) ? CopiesOfKeyValueHead(entry) : 1;
            long[] sizes = shape.ToArray();
            sizes[axis] = checked(sizes[axis] * (parts.Length / step));
            shape = new Shape(sizes);
        }

        long bytes = checked(shape.Count * entry.DType.BlockBytes());
        return new Merged(new TensorInfo(entry.Name, entry.DType, shape, first.Path, entry.Offset, bytes), parts, split, step);
    }

    /// <summary>Axis 0 where a part has all columns, else axis 1. The width is that of params.json, or of the final norm.</summary>
    private MetaSplit EmbeddingSplit(TorchShard.Entry embedding)
    {
        long? width = Params?.Dim;
        if (width is null)
        {
            foreach (TorchShard.Entry entry in _shards[0].Entries.Values)
            {
                width = entry.Name is "norm.weight" or "text_model.norm.weight" ? entry.Shape.Columns : width;
            }
        }

        return embedding.Shape.Columns == width ? MetaSplit.Rows : MetaSplit.Columns;
    }

    /// <summary>
    /// With more parts than key-value heads each head is in several consecutive parts (spec llama1-3.md 3.1: the 16-part 405B; its heads are counted once
    /// where params.json counts them once). Returns in how many: 1 where nothing is repeated.
    /// </summary>
    private int CopiesOfKeyValueHead(TorchShard.Entry entry)
    {
        int heads = Params?.KvHeads ?? 0;
        if (heads == 0 || _shards.Count <= heads || _shards.Count % heads != 0)
        {
            return 1;
        }

        string query = $"{entry.Name.AsSpan(0, entry.Name.Length - "wk.weight".Length)}wq.weight";
        long queryRows = _shards[0].Entries.TryGetValue(query, out TorchShard.Entry? wq) && wq.Shape.Rank > 0 ? wq.Shape[0] * _shards.Count : 0;
        return queryRows % Params!.NHeads == 0 && entry.Shape[0] == queryRows / Params.NHeads ? _shards.Count / heads : 1;
    }

    private void CheckCopies(Merged merged)
    {
        for (int i = 0; i < _shards.Count; i++)
        {
            int kept = i - (i % merged.Step);
            if (i != kept && !_shards[i].SameBytes(merged.Parts[i], _shards[kept], merged.Parts[kept]))
            {
                string other = System.IO.Path.GetFileName(_shards[kept].Path);
                throw new FileFormatException(_shards[i].Path, $"tensor {merged.Info.Name}: expected the same key-value head as in {other}", merged.Parts[i].Offset);
            }
        }
    }

    /// <summary>
    /// The last parts of a checkpoint can be missing without a gap in the numbers. What is there then looks like a smaller model, except to params.json:
    /// queries and feed-forward are both the same fraction of what it says.
    /// </summary>
    private void CheckPartCount()
    {
        if (Params is null || !MetaParts.IsPart(_shards[0].Path) || RowsOf("layers.0.attention.wq.weight") is not { } rows
            || RowsOf("layers.0.feed_forward.w1.weight") is not { } hidden || rows >= Params.Dim || Params.Dim % rows != 0)
        {
            return;
        }

        long times = Params.Dim / rows;
        if (Params.FfnHidden % times == 0 && hidden == Params.FfnHidden / times)
        {
            string missing = MetaParts.Sibling(_shards[0].Path, _shards.Count);
            throw new FileFormatException(missing, $"checkpoint: expected {times * _shards.Count} parts, got {_shards.Count}: this one is missing");
        }

        long? RowsOf(string name) => _tensors.TryGetValue(name, out Merged? tensor) && tensor.Info.Shape is { Rank: 2, Count: > 0 } shape ? shape[0] : null;
    }

    /// <param name="Info">The merged tensor.</param>
    /// <param name="Parts">The tensor in each part.</param>
    /// <param name="Split">How they go together; Replicated takes the first.</param>
    /// <param name="Step">Take every so manieth part.</param>
    private sealed record Merged(TensorInfo Info, TorchShard.Entry[] Parts, MetaSplit Split, int Step);
}
