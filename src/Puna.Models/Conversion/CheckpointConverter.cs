using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Formats.Meta;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Tensors.Quantization;

namespace Puna.Models.Conversion;

/// <summary>
/// Writes a checkpoint in another format or with other types, one piece of rows at a time: memory does not grow with the model. Bytes are copied where the type
/// stays, so a round trip gives the same bits. Nothing appears under the final names before everything is written.
/// </summary>
public static class CheckpointConverter
{
    private const int PieceBytes = 1 << 22;

    /// <summary>Converts.</summary>
    /// <param name="source">The checkpoint; only read.</param>
    /// <param name="destination">A folder for safetensors and Meta, a file for GGUF.</param>
    /// <param name="options">Format and types.</param>
    /// <param name="progress">Told of every piece, or null.</param>
    /// <param name="cancel">Leaves nothing behind.</param>
    /// <exception cref="PunaException">The format cannot hold the model, a weight is not finite, or a file cannot be written.</exception>
    public static void Convert(Checkpoint source, string destination, ConversionOptions options, IProgress<ConversionProgress>? progress = null, CancellationToken cancel = default)
    {
        FileType? type = options.Type;
        if (options.Format != CheckpointFormat.Gguf && type is FileType t && !t.DefaultType().IsFloat())
        {
            throw new PunaException($"type {t.Name()}: expected f32, f16 or bf16 in the format {options.Format.ToString().ToLowerInvariant()}, got a type that only gguf holds");
        }

        List<Item> items = Plan(source, options);
        using TensorWriter writer = CreateWriter(source, destination, options, items);
        float[]? divisors = options.Format == CheckpointFormat.Gguf ? GgufMetadataWriter.RopeDivisors(source.Config) : null;
        if (divisors is not null)
        {
            writer.Declare("rope_freqs.weight", DType.F32, new Shape(divisors.Length));
        }

        foreach (Item item in items)
        {
            writer.Declare(TensorNames.In(options.Format, item.Name), item.Type, item.Shape);
        }

        long total = writer.Tensors.Sum(x => x.ByteLength);
        writer.Begin();
        long written = 0;
        if (divisors is not null)
        {
            writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(divisors));
        }

        RopeLayout layout = options.Format == CheckpointFormat.Safetensors ? RopeLayout.HalfSplit : RopeLayout.Interleaved;
        foreach (Item item in items)
        {
            foreach (int bytes in Pieces(source, item, layout, writer))
            {
                cancel.ThrowIfCancellationRequested();
                written += bytes;
                progress?.Report(new ConversionProgress(item.Name, written, total));
            }
        }

        cancel.ThrowIfCancellationRequested();
        writer.Complete();
        if (options.Format != CheckpointFormat.Gguf)
        {
            CompanionFiles.Write(source, destination, options.Format, items.Count > 0 ? CommonFloat(items) : DType.F32);
        }
    }

    private static List<Item> Plan(Checkpoint source, ConversionOptions options)
    {
        QuantizationMix? mix = options is { Format: CheckpointFormat.Gguf, Type: FileType type }
            ? new QuantizationMix(type, new MixModel(source.Config.Layers, source.Config.Heads, source.Config.KvHeads, source.Config.TiedEmbeddings))
            : null;
        var items = new List<Item>();
        foreach ((string name, Shape shape) in source.Config.Parameters())
        {
            if (!source.TryGetInfo(name, out TensorInfo? info))
            {
                throw new FileFormatException(source.Path, $"tensor {name}: expected in the checkpoint, got none");
            }

            DType to = mix is not null ? mix.TypeOf(TensorNames.In(CheckpointFormat.Gguf, name), shape)
                : options.Type is FileType plain ? plain.DefaultType()
                : options.Format == CheckpointFormat.Gguf ? (shape.Rank == 1 ? DType.F32 : info.DType)
                : info.DType.IsFloat() ? info.DType : DType.F32;
            items.Add(new Item(name, shape, to));
        }

        if (options.Format != CheckpointFormat.Gguf && options.Type is null)
        {
            NarrowVectors(source, items);
        }

        return items;
    }

    /// <summary>
    /// GGUF keeps norms in float32 though the model they come from had 16 bits. Where the values fit the type of the matrices they get it back, so that a checkpoint
    /// returns from GGUF as it was.
    /// </summary>
    private static void NarrowVectors(Checkpoint source, List<Item> items)
    {
        DType common = CommonFloat(items);
        for (int i = 0; i < items.Count && common != DType.F32; i++)
        {
            if (items[i].Shape.Rank == 1 && items[i].Type == DType.F32 && Fits(source.GetTensor(items[i].Name), common))
            {
                items[i] = items[i] with { Type = common };
            }
        }
    }

    private static DType CommonFloat(List<Item> items)
    {
        DType[] matrices = [.. items.Where(x => x.Shape.Rank > 1).Select(x => x.Type).Distinct()];
        return matrices.Length == 1 ? matrices[0] : DType.F32;
    }

    private static bool Fits(Tensor vector, DType type)
    {
        ReadOnlySpan<float> values = vector.Row<float>(0);
        var bytes = new byte[type.RowBytes(values.Length)];
        var back = new float[values.Length];
        Quantizer.Quantize(type, values, bytes);
        Dequantizer.Dequantize(type, bytes, back);
        return values.SequenceEqual(back);
    }

    private static TensorWriter CreateWriter(Checkpoint source, string destination, ConversionOptions options, List<Item> items)
    {
        switch (options.Format)
        {
            case CheckpointFormat.Gguf:
                int fileType = (int)(options.Type ?? GuessFileType(items));
                GgufMetadata metadata = GgufMetadataWriter.Write(source.Config, fileType, items.Any(x => x.Type.IsBlock()), CompanionFiles.ModelName(source));
                CompanionFiles.AddVocabulary(source, metadata);
                return new GgufWriter(destination, metadata, options.MaxFileBytes);
            case CheckpointFormat.Safetensors:
                Directory.CreateDirectory(destination);
                return new SafetensorsWriter(
                    Path.Combine(destination, SafetensorsFile.SingleName), new Dictionary<string, string> { ["format"] = "pt" }, options.MaxFileBytes);
            case CheckpointFormat.Meta:
                return new MetaWriter(destination, MetaParamsWriter.Write(source.Config));
            default:
                throw new PunaException($"format {options.Format.ToString().ToLowerInvariant()}: expected safetensors, gguf or meta");
        }
    }

    /// <summary>The mix that most of the weights are of.</summary>
    private static FileType GuessFileType(List<Item> items)
    {
        DType most = items.Where(x => x.Shape.Rank > 1).GroupBy(x => x.Type).OrderByDescending(g => g.Sum(x => x.Shape.Count)).First().Key;
        foreach (FileType type in FileTypes.All)
        {
            if (type.DefaultType() == most)
            {
                return type;
            }
        }

        return FileType.F32;
    }

    /// <summary>Writes a tensor piece by piece, and yields after each so that progress and cancellation are looked at.</summary>
    private static IEnumerable<int> Pieces(Checkpoint source, Item item, RopeLayout layout, TensorWriter writer)
    {
        Tensor from = source.GetTensor(item.Name);
        bool reorder = RowOrder.DependsOnLayout(item.Name) && source.RopeLayout != layout;
        // A bias is one row of as many values; its values are reordered as the rows of the weight are.
        if (item.Shape.Rank == 1)
        {
            yield return WriteVector(from, item, reorder ? source.Config.HeadDim : 0, source.RopeLayout, layout, writer);
            yield break;
        }

        int rowBytes = (int)item.Type.RowBytes(from.Columns);
        int rows = (int)Math.Clamp(PieceBytes / Math.Max(1, rowBytes), 1, from.Rows);
        var buffer = new byte[checked(rows * rowBytes)];
        for (long first = 0; first < from.Rows; first += rows)
        {
            int count = (int)Math.Min(rows, from.Rows - first);
            RowConverter.Convert(
                from, item.Type, row => reorder ? RowOrder.Source(row, source.Config.HeadDim, source.RopeLayout, layout) : row, first, count, buffer, item.Name);
            writer.Write(buffer.AsSpan(0, count * rowBytes));
            yield return count * rowBytes;
        }
    }

    private static int WriteVector(Tensor from, Item item, int headDim, RopeLayout fromLayout, RopeLayout toLayout, TensorWriter writer)
    {
        var values = new float[from.Columns];
        Dequantizer.Dequantize(from.DType, from.Row<byte>(0), values);
        if (headDim > 0)
        {
            float[] old = [.. values];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = old[RowOrder.Source(i, headDim, fromLayout, toLayout)];
            }
        }

        var bytes = new byte[item.Type.RowBytes(values.Length)];
        Quantizer.Quantize(item.Type, values, bytes);
        writer.Write(bytes);
        return bytes.Length;
    }

    private sealed record Item(string Name, Shape Shape, DType Type);
}
