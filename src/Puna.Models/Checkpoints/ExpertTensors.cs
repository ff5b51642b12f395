using Puna.Formats;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>
/// The matrices of experts inside the tensors that hold those of all experts: Hugging Face's <c>[experts, in, out]</c> with gate and up side by side, GGUF's <c>[experts, out, in]</c>
/// (spec llama4.md 5.2, 5.5). Meta's parts are taken to pieces where they are put together.
/// </summary>
internal static class ExpertTensors
{
    private const string Marker = ".feed_forward.experts.";

    /// <summary>Whether a canonical name is that of a routed expert's matrix.</summary>
    public static bool IsExpert(string canonical) => canonical.Contains(Marker, StringComparison.Ordinal);

    /// <summary>Splits <c>layers.3.feed_forward.experts.5.w1.weight</c> into <c>layers.3.feed_forward.</c>, 5 and <c>w1</c>.</summary>
    public static (string Prefix, int Expert, string Matrix) Split(string canonical)
    {
        int at = canonical.IndexOf(Marker, StringComparison.Ordinal);
        string[] rest = canonical[(at + Marker.Length)..].Split('.');
        return (canonical[..(at + ".feed_forward.".Length)], int.Parse(rest[0], System.Globalization.CultureInfo.InvariantCulture), rest[1]);
    }

    /// <summary>Finds an expert's matrix.</summary>
    /// <param name="file">The tensors.</param>
    /// <param name="format">The format.</param>
    /// <param name="prefix">What stands before the names of this format, or nothing.</param>
    /// <param name="canonical">Canonical name.</param>
    /// <param name="config">The model.</param>
    /// <returns>The place, or null where no tensor holds it.</returns>
    /// <exception cref="FileFormatException">The tensor that should has another shape.</exception>
    public static ExpertPlace? Find(TensorFile file, CheckpointFormat format, string prefix, string canonical, LlamaConfig config)
    {
        (string layer, int expert, string matrix) = Split(canonical);
        string number = layer["layers.".Length..layer.IndexOf('.', "layers.".Length)];
        long ffn = config.Llama4!.ExpertFfn, hidden = config.Hidden, experts = config.Llama4.Experts;
        bool down = matrix == "w2";
        if (format == CheckpointFormat.Safetensors)
        {
            string name = $"{prefix}model.layers.{number}.feed_forward.experts.{(down ? "down_proj" : "gate_up_proj")}";
            return down ? At(name, new Shape(experts, ffn, hidden), expert * ffn, ffn, 0, hidden, true)
                : At(name, new Shape(experts, hidden, 2 * ffn), expert * hidden, hidden, matrix == "w1" ? 0 : ffn, ffn, true);
        }

        if (format != CheckpointFormat.Gguf)
        {
            return null;
        }

        string block = $"blk.{number}.ffn_";
        return down ? At(block + "down_exps.weight", new Shape(experts, hidden, ffn), expert * hidden, hidden, 0, ffn, false)
            : At($"{block}{(matrix == "w1" ? "gate" : "up")}_exps.weight", new Shape(experts, ffn, hidden), expert * ffn, ffn, 0, hidden, false)
                ?? At(block + "gate_up_exps.weight", new Shape(experts, 2 * ffn, hidden), (expert * 2 * ffn) + (matrix == "w1" ? 0 : ffn), ffn, 0, hidden, false);

        ExpertPlace? At(string name, Shape shape, long firstRow, long rows, long firstColumn, long columns, bool isTransposed)
        {
            if (!file.TryGetInfo(name, out TensorInfo? info))
            {
                return null;
            }

            return info.Shape == shape && (!isTransposed || info.DType.IsFloat())
                ? new ExpertPlace(info, firstRow, rows, firstColumn, columns, isTransposed)
                : throw new FileFormatException(file.Path, $"tensor {name}: expected {shape}, got {info.DType.Name()} {info.Shape}");
        }
    }
}
