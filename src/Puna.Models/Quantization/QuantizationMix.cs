using System.Globalization;
using Puna.Tensors;

namespace Puna.Models.Quantization;

/// <summary>
/// Which type each tensor of a GGUF file gets, as llama.cpp's quantiser without importance matrix chooses it for Llamas: the value projections, the second
/// feed-forward matrices and the output suffer most and get more bits, in a pattern over the layers.
/// </summary>
/// <param name="fileType">The mix.</param>
/// <param name="model">The model it is for.</param>
public sealed class QuantizationMix(FileType fileType, MixModel model)
{
    /// <summary>The mix.</summary>
    public FileType FileType => fileType;

    /// <summary>The type of one tensor.</summary>
    /// <param name="name">Its GGUF name, for example <c>blk.3.attn_v.weight</c> (spec llama1-3.md 3.3).</param>
    /// <param name="shape">Its sizes, outermost first.</param>
    /// <returns>F32 for vectors, norms, biases and routers; for a row that is no whole number of blocks the next type that fits, at last F16.</returns>
    /// <exception cref="PunaException">A tensor of a block without a layer number below the model's number of layers.</exception>
    public DType TypeOf(string name, Shape shape)
    {
        if (!IsQuantised(name, shape))
        {
            return DType.F32;
        }

        DType standard = fileType.DefaultType();
        return standard.IsBlock() ? Fitting(Choose(name, standard, shape.Columns), shape.Columns) : standard;
    }

    /// <summary>Matrices, but not the ones that are small and sensitive.</summary>
    private static bool IsQuantised(string name, Shape shape) =>
        shape.Rank >= 2 && shape.Rows > 1 && name.EndsWith("weight", StringComparison.Ordinal)
        && !name.Contains("_norm.weight", StringComparison.Ordinal) && !name.Contains("ffn_gate_inp.weight", StringComparison.Ordinal);

    private DType Choose(string name, DType standard, long columns)
    {
        if (name == "output.weight" || (name == "token_embd.weight" && model.TiedEmbeddings))
        {
            return standard == DType.Q8_0 || columns % standard.BlockSize() != 0 ? DType.Q8_0 : DType.Q6_K;
        }

        if (name.Contains("attn_v.weight", StringComparison.Ordinal))
        {
            return AttentionV(Layer(name), standard);
        }

        if (name.Contains("attn_k.weight", StringComparison.Ordinal))
        {
            return model.Experts == 8 ? DType.Q8_0 : standard;
        }

        if (name.Contains("attn_output.weight", StringComparison.Ordinal))
        {
            return AttentionOutput(standard);
        }

        return name.Contains("ffn_down", StringComparison.Ordinal) ? FeedForwardDown(Layer(name), standard) : standard;
    }

    private DType AttentionV(int layer, DType standard)
    {
        bool shared = model.Grouping >= 4;
        DType type = fileType switch
        {
            FileType.Q2_K => shared ? DType.Q4_K : DType.Q3_K,
            FileType.Q2_K_S when shared => DType.Q4_K,
            FileType.Q3_K_M => layer < 2 ? DType.Q5_K : DType.Q4_K,
            FileType.Q3_K_L => DType.Q5_K,
            FileType.Q4_K_S when layer < 4 => DType.Q5_K,
            FileType.IQ4_NL when shared => DType.Q5_K,
            FileType.Q4_K_M or FileType.Q5_K_M when MoreBits(layer) => DType.Q6_K,
            _ => standard,
        };

        // Llama 2 and 3 70B: the matrix is an eighth of the query's, so more bits cost next to nothing.
        if (model is { Layers: 80, Experts: not 8 } && model.Heads != model.KvHeads && type is DType.Q3_K or DType.Q4_K)
        {
            type = DType.Q5_K;
        }

        return model.Experts == 8 ? DType.Q8_0 : type;
    }

    private DType AttentionOutput(DType standard)
    {
        if (model.Experts == 8)
        {
            return fileType is FileType.Q2_K or FileType.Q3_K_S or FileType.Q3_K_M or FileType.Q4_K_S or FileType.Q4_K_M or FileType.IQ4_NL ? DType.Q5_K : standard;
        }

        return fileType switch
        {
            FileType.Q2_K => DType.Q3_K,
            FileType.Q3_K_M => DType.Q4_K,
            FileType.Q3_K_L => DType.Q5_K,
            _ => standard,
        };
    }

    private DType FeedForwardDown(int layer, DType standard) => fileType switch
    {
        FileType.Q2_K => DType.Q3_K,
        FileType.Q2_K_S when layer < model.Layers / 8 => DType.Q4_K,
        FileType.Q3_K_M => layer < model.Layers / 16 ? DType.Q5_K : DType.Q4_K,
        FileType.Q3_K_L => DType.Q5_K,
        FileType.Q4_K_S or FileType.IQ4_NL when layer < model.Layers / 8 => DType.Q5_K,
        FileType.Q4_K_M or FileType.Q5_K_M when MoreBits(layer) => DType.Q6_K,
        _ => standard,
    };

    /// <summary>The first and the last eighth of the layers, and every third one between.</summary>
    private bool MoreBits(int layer)
    {
        int eighth = model.Layers / 8;
        return layer < eighth || layer >= 7 * model.Layers / 8 || (layer - eighth) % 3 == 2;
    }

    /// <summary>The type itself, or where rows are no multiple of its block the nearest one with blocks of 32, or F16.</summary>
    private static DType Fitting(DType type, long columns)
    {
        if (columns % type.BlockSize() == 0)
        {
            return type;
        }

        DType smaller = type switch
        {
            DType.Q2_K or DType.Q3_K => DType.IQ4_NL,
            DType.Q4_K => DType.Q5_0,
            DType.Q5_K => DType.Q5_1,
            DType.Q6_K => DType.Q8_0,
            _ => DType.F16,
        };
        return columns % smaller.BlockSize() == 0 ? smaller : DType.F16;
    }

    private int Layer(string name)
    {
        string[] parts = name.Split('.');
        if (parts is ["blk", var number, ..] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int layer) && layer < model.Layers)
        {
            return layer;
        }

        throw new PunaException($"tensor {name}: expected blk.N. with N below {model.Layers}");
    }
}
