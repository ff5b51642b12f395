using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>
/// Writes a checkpoint in Meta's layout: <c>consolidated.00.pth</c> (more with several model-parallel parts) as torch.load reads it, and
/// <c>params.json</c> (spec llama1-3.md 3.1). Names and row order are the caller's: Meta's names, rotary rows interleaved.
/// </summary>
public sealed class MetaWriter : TensorWriter
{
    private readonly StagedFiles _files = new();
    private readonly List<Part> _parts = [];
    private readonly MetaParams _parameters;
    private readonly int _count;
    private Slicing _slicing;
    private long _at;

    /// <summary>Creates a writer.</summary>
    /// <param name="folder">Folder of the checkpoint; made where it does not exist. Tensor files of the same names are replaced.</param>
    /// <param name="parameters">Content of <c>params.json</c>. A vocabulary size of -1 marks Llama 1 or 2, whose embedding is divided by columns.</param>
    /// <param name="parts">Model-parallel parts; with more than one, every tensor must have a rule in <see cref="MetaSplits"/>.</param>
    public MetaWriter(string folder, MetaParams parameters, int parts = 1)
        : base(folder)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parts, 100);
        _parameters = parameters;
        _count = parts;
    }

    /// <inheritdoc/>
    protected override void Check(TensorSpec tensor)
    {
        if (!TorchPickleWriter.CanHold(tensor.DType))
        {
            throw new PunaException($"tensor {tensor.Name}: expected a type that torch files hold (f32, f16, bf16, f64, integers), got {tensor.DType.Name()} ({Path})");
        }

        _ = Slice(tensor);
    }

    /// <inheritdoc/>
    protected override void BeginCore()
    {
        Tidy();
        TensorSpec[] specs = [.. Tensors.Select(x => PartOf(x, Slice(x)))];
        byte[] pickle = TorchPickleWriter.Write(specs);
        if (pickle.Length > TorchPickle.MaxBytes)
        {
            throw new PunaException($"checkpoint: expected names that fit {TorchPickle.MaxBytes} bytes, got {pickle.Length} ({Path})");
        }

        for (int i = 0; i < _count; i++)
        {
            string name = MetaParts.Name(i);
            var part = new Part(new StoredZipWriter(_files.Create(System.IO.Path.Combine(Path, name))), name[..^".pth".Length]);
            _parts.Add(part);
            part.Zip.Add($"{part.Prefix}/data.pkl", pickle);
            part.Zip.Add($"{part.Prefix}/byteorder", "little"u8);
        }

        StageAttached(_files);
    }

    /// <inheritdoc/>
    protected override void BeginTensor(int index)
    {
        _slicing = Slice(Tensors[index]);
        _at = 0;
        long length = PartOf(Tensors[index], _slicing).ByteLength;
        foreach (Part part in _parts)
        {
            part.Zip.Begin($"{part.Prefix}/data/{TorchPickleWriter.StorageKey(index)}", length);
        }
    }

    /// <inheritdoc/>
    protected override void WriteCore(ReadOnlySpan<byte> bytes)
    {
        if (_slicing.Stretch == 0)
        {
            foreach (Part part in _parts)
            {
                part.Zip.Write(bytes);
            }

            return;
        }

        // Stretches of equal length go round the slices; a slice goes to one part, or to several where parts share a key-value head.
        while (!bytes.IsEmpty)
        {
            long stretch = _at / _slicing.Stretch;
            int slice = (int)(stretch % _slicing.Slices), copies = _count / _slicing.Slices;
            int count = (int)Math.Min(bytes.Length, ((stretch + 1) * _slicing.Stretch) - _at);
            for (int i = 0; i < copies; i++)
            {
                _parts[(slice * copies) + i].Zip.Write(bytes[..count]);
            }

            bytes = bytes[count..];
            _at += count;
        }
    }

    /// <inheritdoc/>
    protected override void EndTensor(int index)
    {
        foreach (Part part in _parts)
        {
            part.Zip.End();
        }
    }

    /// <inheritdoc/>
    protected override void CompleteCore()
    {
        foreach (Part part in _parts)
        {
            part.Zip.Add($"{part.Prefix}/version", "3\n"u8);
            part.Zip.Finish();
        }

        _files.Create(System.IO.Path.Combine(Path, "params.json")).Write(_parameters.ToJson());
        _files.Commit();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _files.Dispose();
        }
    }

    /// <summary>Makes the folder, and refuses one whose other parts would later be read together with those written now.</summary>
    private void Tidy()
    {
        _files.MakeFolder(Path);
        if (MetaParts.Numbered(Path).LastOrDefault(-1) is var last && last >= _count)
        {
            throw new PunaException($"folder {Path}: expected at most {_count} parts, it holds {MetaParts.Name(last)} of another checkpoint");
        }
    }

    private Slicing Slice(TensorSpec tensor)
    {
        if (_count == 1)
        {
            return new Slicing(1, 0, -1);
        }

        MetaSplit split = MetaSplits.Find(tensor.Name);
        int axis = split switch
        {
            MetaSplit.Replicated => -1,
            MetaSplit.Rows => 0,
            MetaSplit.Columns => 1,
            MetaSplit.Embedding => _parameters.VocabSize < 0 ? 1 : 0,
            _ => throw new PunaException($"tensor {tensor.Name}: expected a name that is known how to divide among {_count} parts ({Path})"),
        };
        if (axis < 0)
        {
            return new Slicing(1, 0, -1);
        }

        int heads = _parameters.KvHeads;
        bool shared = MetaSplits.IsKeyOrValue(tensor.Name) && heads < _count && _count % heads == 0;
        int slices = shared ? heads : _count;
        if (axis >= tensor.Shape.Rank || (axis == 1 && tensor.Shape.Rank != 2) || tensor.Shape[axis] % slices != 0)
        {
            throw new PunaException($"tensor {tensor.Name}: expected axis {axis} to be divisible by {slices}, got {tensor.Shape} ({Path})");
        }

        return new Slicing(slices, axis == 0 ? tensor.ByteLength / slices : tensor.DType.RowBytes(tensor.Shape.Columns) / slices, axis);
    }

    private static TensorSpec PartOf(TensorSpec tensor, Slicing slicing)
    {
        if (slicing.Axis < 0)
        {
            return tensor;
        }

        long[] sizes = tensor.Shape.ToArray();
        sizes[slicing.Axis] /= slicing.Slices;
        return tensor with { Shape = new Shape(sizes), ByteLength = tensor.ByteLength / slicing.Slices };
    }

    /// <param name="Zip">The file.</param>
    /// <param name="Prefix">First part of its entries' names.</param>
    private sealed record Part(StoredZipWriter Zip, string Prefix);

    /// <param name="Slices">How many different slices there are.</param>
    /// <param name="Stretch">Consecutive bytes of one slice; 0 where every part gets everything.</param>
    /// <param name="Axis">Which axis is divided, or -1.</param>
    private readonly record struct Slicing(int Slices, long Stretch, int Axis);
}
