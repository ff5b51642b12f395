using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Adapters;

/// <summary>
/// Adapters in GGUF: <c>general.type</c> adapter, <c>adapter.type</c> lora, <c>adapter.lora.alpha</c>; matrices are called as the weight with <c>.lora_a</c> and <c>.lora_b</c> behind
/// (ggml-org/llama.cpp, src/llama-adapter.cpp). Rows of wq and wk are in GGUF's order.
/// </summary>
internal static class GgufAdapterReader
{
    private const string A = ".lora_a";
    private const string B = ".lora_b";

    public static Dictionary<string, LoraPart> Read(GgufFile file, LlamaConfig config)
    {
        Require("general.type", "adapter");
        Require("adapter.type", "lora");
        double alpha = file.Metadata.GetNumber("adapter.lora.alpha") ?? throw new FileFormatException(file.Path, "key adapter.lora.alpha: expected a number, got none");
        if (!double.IsFinite(alpha))
        {
            throw new FileFormatException(file.Path, $"key adapter.lora.alpha: expected a finite number, got {alpha}");
        }

        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string canonical, Shape shape) in config.Parameters())
        {
            if (shape.Rank == 2)
            {
                names[TensorNames.In(CheckpointFormat.Gguf, canonical)] = canonical;
            }
        }

        var tensors = new AdapterTensors(file, config);
        var parts = new Dictionary<string, LoraPart>(StringComparer.Ordinal);
        foreach (TensorInfo info in file.Tensors)
        {
            bool isA = info.Name.EndsWith(A, StringComparison.Ordinal);
            if (!isA && !info.Name.EndsWith(B, StringComparison.Ordinal))
            {
                throw new FileFormatException(file.Path, $"tensor {info.Name}: expected a name that ends with {A} or {B}");
            }

            string weight = info.Name[..^A.Length];
            if (!names.TryGetValue(weight, out string? canonical))
            {
                throw new FileFormatException(file.Path, $"tensor {info.Name}: expected a weight of {config.Name}, which has no {weight}");
            }

            // An alpha of 0 stands for a scale of 1.
            if (!parts.ContainsKey(canonical))
            {
                bool table = canonical == "tok_embeddings.weight";
                parts[canonical] = tensors.Part(canonical, weight + A, weight + B, null, table, rank => alpha == 0 ? 1 : alpha / rank, RopeLayout.Interleaved);
            }
        }

        return parts.Count > 0 ? parts : throw new FileFormatException(file.Path, "adapter: expected matrices, got none");

        void Require(string key, string value)
        {
            if (file.Metadata.GetString(key) is not { } found || found != value)
            {
                throw new FileFormatException(file.Path, $"key {key}: expected {value}, got {file.Metadata.GetString(key) ?? "none"}");
            }
        }
    }
}
