using System.Runtime.InteropServices;
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
/// Writes a checkpoint in another format or with other types, with its settings and vocabulary, one piece of rows at a time: memory does not grow with the model.
/// Bytes are copied where the type stays, so a round trip gives the same bits. Nothing appears under the final names before everything is written.
/// </summary>
public static class CheckpointConverter
{
    private const int PieceBytes = 1 << 22;
    private const string Divisors = "rope_freqs.weight";

    /// <summary>Converts.</summary>
    /// <param name="source">The checkpoint; only read.</param>
    /// <param name="destination">A folder for safetensors and Meta, made where it is missing; a file for GGUF.</param>
    /// <param name="options">Format and types.</param>
    /// <param name="progress">Told of every piece, or null.</param>
    /// <param name="cancel">Leaves nothing behind.</param>
    /// <exception cref="PunaException">The format cannot hold the model or its vocabulary, a weight does not fit its type, or a file cannot be written.</exception>
    public static void Convert(Checkpoint source, string destination, ConversionOptions options, IProgress<ConversionProgress>? progress = null, CancellationToken cancel = default)
    {
        Check(options);
        if (options.Format == CheckpointFormat.Meta && source.Config.Llama4 is not null)
        {
            throw new PunaException("format meta: expected a model before Llama 4, whose parts this program reads but does not write, got llama4");
        }

        if (source.Config.Vision is not null && (options.Format != CheckpointFormat.Safetensors || source.Format != CheckpointFormat.Safetensors))
        {
            throw new PunaException($"format {options.Format.ToString().ToLowerInvariant()}: expected a model of text alone, or safetensors made of safetensors, got {source.Config.Name} in {source.Format.ToString().ToLowerInvariant()}");
        }

        List<PlannedTensor> plan = ConversionPlan.Make(source, options);
        using TensorWriter writer = CreateWriter(source, destination, options, plan);
        float[]? divisors = options.Format == CheckpointFormat.Gguf ? GgufMetadataWriter.RopeDivisors(source.Config) : null;
        if (divisors is not null)
        {
            writer.Declare(Divisors, DType.F32, new Shape(divisors.Length));
        }

        foreach (PlannedTensor tensor in plan)
        {
            writer.Declare(tensor.NameIn(options.Format, source.Config), tensor.Type, TensorNames.ShapeIn(options.Format, tensor.Name, tensor.Shape, source.Config));
        }

        long total = writer.Tensors.Sum(x => x.ByteLength);
        writer.Begin();
        long written = 0;
        if (divisors is not null)
        {
            ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes<float>(divisors);
            writer.Write(bytes);
            Report(Divisors, bytes.Length);
        }

        RopeLayout layout = options.Format == CheckpointFormat.Safetensors && source.Config.Llama4 is null ? RopeLayout.HalfSplit : RopeLayout.Interleaved;
        foreach (PlannedTensor tensor in plan)
        {
            foreach (int bytes in tensor.Stack?.Pieces(source, tensor.Type, writer, options.Threads) ?? Pieces(source, tensor, layout, writer, options.Threads))
            {
                cancel.ThrowIfCancellationRequested();
                Report(tensor.Name, bytes);
            }
        }

        cancel.ThrowIfCancellationRequested();
        writer.Complete();

        void Report(string name, int bytes)
        {
            written += bytes;
            progress?.Report(new ConversionProgress(name, written, total));
        }
    }

    private static void Check(ConversionOptions options)
    {
        string format = options.Format.ToString().ToLowerInvariant();
        if (options.Format is not (CheckpointFormat.Gguf or CheckpointFormat.Safetensors or CheckpointFormat.Meta))
        {
            throw new PunaException($"format {format}: expected safetensors, gguf or meta");
        }

        if (options.Format != CheckpointFormat.Gguf && options.Type is FileType type && !type.DefaultType().IsFloat())
        {
            throw new PunaException($"type {type.Name()}: expected f32, f16 or bf16 in the format {format}, got a type that only gguf holds");
        }

        if (options.Format == CheckpointFormat.Meta && options.MaxFileBytes != long.MaxValue)
        {
            throw new PunaException($"format {format}: expected no largest size of a file (safetensors and gguf can be split), got {options.MaxFileBytes}");
        }
    }

    /// <summary>Prepares everything but the weights, so that whatever cannot be said is known before anything is written.</summary>
    private static TensorWriter CreateWriter(Checkpoint source, string destination, ConversionOptions options, List<PlannedTensor> plan)
    {
        var companions = new CompanionFiles(source, options.Format);
        if (options.Format == CheckpointFormat.Gguf)
        {
            GgufMetadata metadata = GgufMetadataWriter.Write(
                companions.Config, ConversionPlan.FileTypeId(source, options, plan), plan.Exists(x => x.Type.IsBlock()), options.Name ?? companions.ModelName);
            companions.AddVocabulary(metadata);
            return new GgufWriter(destination, metadata, options.MaxFileBytes);
        }

        bool meta = options.Format == CheckpointFormat.Meta;
        Dictionary<string, byte[]> files = meta ? companions.ForMeta() : companions.ForHuggingFace(ConversionPlan.CommonFloat(plan), changed: options.Type is not null || source.IsDecoded);
        CompanionFiles.CheckLeftovers(destination, options.Format, files.Keys);
        TensorWriter writer = meta
            ? new MetaWriter(destination, MetaParamsWriter.Write(companions.Config))
            : new SafetensorsWriter(Path.Combine(destination, SafetensorsFile.SingleName), maxShardBytes: options.MaxFileBytes, makeFolder: true);
        foreach ((string name, byte[] content) in files)
        {
            writer.Attach(Path.Combine(destination, name), content, makeFolder: name.Contains('/', StringComparison.Ordinal));
        }

        return writer;
    }

    /// <summary>Writes a tensor piece by piece, and yields after each so that progress and cancellation are looked at.</summary>
    private static IEnumerable<int> Pieces(Checkpoint source, PlannedTensor to, RopeLayout layout, TensorWriter writer, int threads)
    {
        Tensor stored = source.GetTensor(to.Name);
        try
        {
            bool reorder = RowOrder.DependsOnLayout(to.Name) && source.RopeLayout != layout;
            Tensor from = reorder && to.Shape.Rank == 1 ? AsColumn(stored) : stored;
            Func<long, long> order = reorder ? row => RowOrder.Source(row, source.Config.HeadDim, source.RopeLayout, layout) : row => row;
            int rowBytes = (int)to.Type.RowBytes(from.Columns);
            int rows = (int)Math.Clamp(PieceBytes / Math.Max(1, rowBytes), 1, from.Rows);
            var buffer = new byte[checked(rows * rowBytes)];
            for (long first = 0; first < from.Rows; first += rows)
            {
                int count = (int)Math.Min(rows, from.Rows - first);
                RowConverter.Convert(from, to.Type, order, first, count, buffer, to.Name, threads);
                writer.Write(buffer.AsSpan(0, count * rowBytes));
                yield return count * rowBytes;
            }
        }
        finally
        {
            source.Release(to.Name, stored);
        }
    }

    /// <summary>A bias as a matrix of one column: its values are reordered as the rows of the weight are.</summary>
    private static Tensor AsColumn(Tensor vector)
    {
        if (vector.DType.IsBlock())
        {
            Tensor plain = Tensor.Create(vector.Shape);
            Dequantizer.Dequantize(vector.DType, vector.Row<byte>(0), plain.Row<float>(0));
            vector = plain;
        }

        return new Tensor(vector.Storage, vector.Offset, new Shape(vector.Columns, 1), vector.DType);
    }
}
