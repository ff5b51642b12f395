using Puna.Formats;
using Puna.Tensors;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>
/// Llama 3.2 1B and 3B in INT4 as Meta publishes them (spec llama1-3.md 8.3 and 8.4): linear layers of blocks as integers from -8 to 7 with a scale for every group of 32 inputs, embedding and output as 8 bits
/// with a scale for every row; with adapters beside them (QAT and LoRA), or with rotated weights (SpinQuant), of which one rotation, that of w2's input, is not yet undone in the weights. The published
/// models round the activations of linear layers to 8 bits while they run; here weights are read exactly, adapters added and the rotation undone, and activations stay float32.
/// </summary>
internal static class MetaInt4
{
    private const string Weight = ".weight";

    /// <summary>The context these models were trained for, which is shorter than that of the models they come from.</summary>
    public const int Context = 8192;

    private const string Scheme = "int4_weight_int8_dynamic_activation";

    /// <summary>Whether <c>params.json</c> says so.</summary>
    /// <exception cref="PunaException">It says that the model is quantised in another way.</exception>
    public static bool IsSaid(JsonConfig json)
    {
        if (json.Object("quantization_args") is not { } quantization)
        {
            return false;
        }

        return quantization.String("scheme") is null or Scheme ? true : throw quantization.Refuse("scheme", Scheme);
    }

    /// <summary>The file with its matrices as float32.</summary>
    /// <exception cref="PunaException">Something is missing or does not fit.</exception>
    public static TensorFile Decoded(TensorFile file, JsonConfig json)
    {
        JsonConfig quantization = json.Object("quantization_args")!;
        int group = quantization.Int("group_size") ?? 32;
        if (group < 1)
        {
            throw quantization.Refuse("group_size", "a positive number");
        }

        bool spins = quantization.Bool("spinquant") ?? false;
        double? scale = AdapterScale(json);
        var matrices = new Dictionary<string, IStoredMatrix>(StringComparer.Ordinal);
        var hidden = new HashSet<string>(StringComparer.Ordinal);
        foreach (TensorInfo info in file.Tensors)
        {
            if (info.DType != DType.I8 || !info.Name.EndsWith(Weight, StringComparison.Ordinal))
            {
                continue;
            }

            string stem = info.Name[..^Weight.Length];
            bool isBlock = stem.StartsWith("layers.", StringComparison.Ordinal);
            var matrix = new CodedMatrix(info, Beside(stem + ".scales") ?? throw Missing(stem + ".scales", info.Name))
            {
                Zeros = Beside(stem + ".zeros"),
                Adapter = Adapter(stem),
                IsRotated = spins && stem.EndsWith(".feed_forward.w2", StringComparison.Ordinal),
            };
            if (matrix.Problem(isBlock ? group : null) is { } problem)
            {
                throw new FileFormatException(file.Path, problem);
            }

            matrices.Add(info.Name, matrix);
        }

        return matrices.Count > 0 ? new LowPrecisionFile(file, matrices, hidden) : throw json.Refuse("quantization_args", "none, because no weight is int8");

        TensorInfo? Beside(string name)
        {
            if (!file.TryGetInfo(name, out TensorInfo? found))
            {
                return null;
            }

            hidden.Add(name);
            return found;
        }

        LowRankPart? Adapter(string stem)
        {
            string first = stem + ".adaptor.A.weight", second = stem + ".adaptor.B.weight";
            (TensorInfo? a, TensorInfo? b) = (Beside(first), Beside(second));
            if (a is null && b is null)
            {
                return null;
            }

            if (spins)
            {
                throw quantization.Refuse("spinquant", $"false, because {first} is an adapter");
            }

            return new LowRankPart(
                a ?? throw Missing(first, second),
                b ?? throw Missing(second, first),
                scale ?? throw json.Refuse("lora_args", $"the scale of {first}"));
        }

        FileFormatException Missing(string name, string of) => new(file.Path, $"tensor {name}: expected beside {of}, got none");
    }

    private static double? AdapterScale(JsonConfig json) =>
        json.Object("lora_args") is not { } adapters ? null : adapters.Number("scale") ?? throw adapters.Refuse("scale", "a number");
}
