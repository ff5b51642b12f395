using System.Runtime.InteropServices;
using Puna.Formats;
using Puna.Models.Checkpoints;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Tensors.Quantization;

namespace Puna.Models.Conversion;

/// <summary>A tensor of the result.</summary>
/// <param name="Name">Canonical name.</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Type">Type of the result's values.</param>
/// <param name="Prefix">What stands before its name: of a text model that is part of a larger one.</param>
/// <param name="Stack">What it holds, where it holds the matrices of experts; <paramref name="Name"/> is the canonical name of the first then.</param>
internal sealed record PlannedTensor(string Name, Shape Shape, DType Type, string Prefix = "", ExpertStack? Stack = null)
{
    /// <summary>Its name in the result.</summary>
    public string NameIn(CheckpointFormat format, LlamaConfig config) =>
        config.Llama4 is not null && Llama4VisionNames.IsVision(Name) ? Llama4VisionNames.In(format, Name) : Prefix + (Stack?.FileName ?? TensorNames.In(format, Name, config));
}

/// <summary>Which type every tensor of a conversion's result has.</summary>
internal static class ConversionPlan
{
    /// <summary>Decides.</summary>
    /// <exception cref="PunaException">The source lacks a tensor.</exception>
    public static List<PlannedTensor> Make(Checkpoint source, ConversionOptions options)
    {
        QuantizationMix? mix = options is { Format: CheckpointFormat.Gguf, Type: FileType type }
            ? new QuantizationMix(type, new MixModel(source.Config.Layers, source.Config.Heads, source.Config.KvHeads, source.Config.TiedEmbeddings, source.Config.Llama4?.Experts ?? 0))
            : null;
        var plan = new List<PlannedTensor>();

        // Only Hugging Face's layout, among those that are written, has names for a Llama 4's picture encoder.
        bool seeing = options.Format == CheckpointFormat.Safetensors && source.HasLlama4Vision;
        string prefix = seeing ? "language_model." : "";
        foreach ((string name, Shape shape) in source.Config.Parameters())
        {
            if (!ExpertTensors.IsExpert(name))
            {
                Add(name, shape, null);
            }
            else if (name.EndsWith(".experts.0.w1.weight", StringComparison.Ordinal))
            {
                foreach ((ExpertStack stack, Shape whole) in ExpertStack.Of(source.Config, TensorNames.LayerOf(name), options.Format))
                {
                    Add(stack.Canonical(0, stack.Matrices[0]), whole, stack);
                }
            }
        }

        foreach ((string name, Shape shape) in seeing ? source.Config.Llama4!.Vision!.Parameters(source.Config.Hidden) : [])
        {
            Add(name, shape, null);
        }

        if (source.Format == CheckpointFormat.Gguf && options.Format != CheckpointFormat.Gguf && options.Type is null)
        {
            NarrowVectors(source, plan);
        }

        return plan;

        void Add(string name, Shape shape, ExpertStack? stack)
        {
            if (!source.TryGetInfo(name, out TensorInfo? info))
            {
                throw new FileFormatException(source.Path, $"tensor {source.NameOf(name)}: expected in the checkpoint, got none");
            }

            DType to = mix is not null ? mix.TypeOf(stack?.FileName ?? TensorNames.In(CheckpointFormat.Gguf, name), shape)
                : options.Type is FileType plain ? plain.DefaultType()
                : options.Format == CheckpointFormat.Gguf ? (shape.Rank == 1 ? DType.F32 : info.DType)
                : info.DType.IsFloat() ? info.DType : DType.F32;
            if (Llama4VisionNames.IsVision(name) && seeing && info.Shape != shape)
            {
                throw new FileFormatException(source.Path, $"tensor {source.NameOf(name)}: expected {shape}, got {info.Shape}");
            }

            plan.Add(new PlannedTensor(name, shape, to, prefix, stack));
        }
    }

    /// <summary>The type of all matrices, or float32 where they have different ones.</summary>
    public static DType CommonFloat(List<PlannedTensor> plan)
    {
        DType[] matrices = [.. plan.Where(x => x.Shape.Rank > 1).Select(x => x.Type).Distinct()];
        return matrices.Length == 1 ? matrices[0] : DType.F32;
    }

    /// <summary>The id of the GGUF file's mix: what was asked for, what the source says where its types are kept, or that of the type most weights have.</summary>
    public static int? FileTypeId(Checkpoint source, ConversionOptions options, List<PlannedTensor> plan)
    {
        if (options.Type is FileType type)
        {
            return (int)type;
        }

        if (source.Gguf?.GetInteger("general.file_type") is long kept and >= 0 and <= int.MaxValue)
        {
            return (int)kept;
        }

        return FileTypes.IdOf(plan.Where(x => x.Shape.Rank > 1).GroupBy(x => x.Type).OrderByDescending(g => g.Sum(x => x.Shape.Count)).First().Key);
    }

    /// <summary>
    /// GGUF keeps norms in float32 though the model they come from had 16 bits. Where the values fit the type of the matrices they get it back, so that a checkpoint
    /// returns from GGUF as it was.
    /// </summary>
    private static void NarrowVectors(Checkpoint source, List<PlannedTensor> plan)
    {
        DType common = CommonFloat(plan);
        for (int i = 0; i < plan.Count && common != DType.F32; i++)
        {
            if (plan[i].Shape.Rank == 1 && plan[i].Type == DType.F32)
            {
                Tensor vector = source.GetTensor(plan[i].Name);
                plan[i] = Fits(vector, common) ? plan[i] with { Type = common } : plan[i];
                source.File.Release(vector);
            }
        }
    }

    private static bool Fits(Tensor vector, DType type)
    {
        var values = new float[vector.Columns];
        Dequantizer.Dequantize(vector.DType, vector.Row<byte>(0), values);
        var bytes = new byte[type.RowBytes(values.Length)];
        var back = new float[values.Length];
        Quantizer.Quantize(type, values, bytes);
        Dequantizer.Dequantize(type, bytes, back);
        return MemoryMarshal.AsBytes<float>(values).SequenceEqual(MemoryMarshal.AsBytes<float>(back)); // as bits: zeros have signs
    }
}
