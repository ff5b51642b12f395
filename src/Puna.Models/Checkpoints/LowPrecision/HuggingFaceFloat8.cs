using Puna.Formats;
using Puna.Tensors;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>
/// FP8 checkpoints in Hugging Face's layout, as Llama 3.1 405B (<c>fbgemm_fp8</c>) and Llama 4 Maverick (<c>compressed-tensors</c>) are published: weights of float8 e4m3fn with a float
/// <c>weight_scale</c> per row or matrix beside them. Both round activations while they run; here weights are read exactly and activations stay float32.
/// </summary>
internal static class HuggingFaceFloat8
{
    private const string Scale = "_scale";

    // How others round activations and their cache: of no meaning where those stay float32.
    private static readonly string[] Activations = [".input_scale", ".input_scale_ub", ".k_scale", ".v_scale"];

    /// <summary>Whether the settings say that weights are float8.</summary>
    /// <param name="json">The settings, or the part of them that belongs to the text model.</param>
    /// <exception cref="PunaException">They are quantised in a way that is not understood.</exception>
    public static bool IsSaid(JsonConfig json)
    {
        if (json.Object("quantization_config") is not { } quantization)
        {
            return false;
        }

        switch (quantization.String("quant_method"))
        {
            case "fbgemm_fp8":
                return true;
            case "compressed-tensors":
                CheckCompressed(quantization);
                return true;
            default:
                throw quantization.Refuse("quant_method", "fbgemm_fp8 or compressed-tensors: other quantised safetensors are not understood");
        }
    }

    /// <summary>The file with its float8 matrices as float32; itself where it has none.</summary>
    /// <exception cref="FileFormatException">A scale is missing or of another shape.</exception>
    public static TensorFile Decoded(TensorFile file)
    {
        var matrices = new Dictionary<string, IStoredMatrix>(StringComparer.Ordinal);
        var hidden = new HashSet<string>(StringComparer.Ordinal);
        foreach (TensorInfo info in file.Tensors)
        {
            if (Array.Exists(Activations, end => info.Name.EndsWith(end, StringComparison.Ordinal)))
            {
                hidden.Add(info.Name);
            }

            if (info.DType != DType.F8_E4M3)
            {
                continue;
            }

            string name = info.Name + Scale;
            var matrix = new CodedMatrix(info, file.TryGetInfo(name, out TensorInfo? scales)
                ? scales
                : throw new FileFormatException(file.Path, $"tensor {name}: expected the scales of {info.Name}, got none"));
            if (matrix.Problem() is { } problem)
            {
                throw new FileFormatException(file.Path, problem);
            }

            matrices.Add(info.Name, matrix);
            hidden.Add(name);
        }

        return matrices.Count == 0 ? file : new LowPrecisionFile(file, matrices, hidden);
    }

    private static void CheckCompressed(JsonConfig quantization)
    {
        if (quantization.String("format") is not (null or "float-quantized" or "naive-quantized"))
        {
            throw quantization.Refuse("format", "float-quantized");
        }

        if (quantization.Object("sparsity_config") is { } sparsity && sparsity.String("format") is not (null or "dense"))
        {
            throw sparsity.Refuse("format", "dense");
        }

        JsonConfig groups = quantization.Object("config_groups") ?? throw quantization.Refuse("config_groups", "an object");
        foreach (string key in groups.Keys)
        {
            JsonConfig group = groups.Object(key) ?? throw groups.Refuse(key, "an object");
            JsonConfig weights = group.Object("weights") ?? throw group.Refuse("weights", "an object");
            if (weights.String("type") != "float" || weights.Int("num_bits") != 8)
            {
                throw weights.Refuse(weights.String("type") != "float" ? "type" : "num_bits", "floats of 8 bits");
            }

            if (weights.String("strategy") is not ("channel" or "tensor"))
            {
                throw weights.Refuse("strategy", "channel or tensor");
            }

            if (weights.Bool("symmetric") == false)
            {
                throw weights.Refuse("symmetric", "true");
            }
        }
    }
}
