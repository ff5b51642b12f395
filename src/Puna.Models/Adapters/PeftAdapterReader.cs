using System.Text.RegularExpressions;
using Puna.Formats;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Adapters;

/// <summary>
/// Adapters as peft saves them (spec training.md 4.6): <c>adapter_config.json</c> and <c>adapter_model.safetensors</c> with names <c>base_model.model.</c>MODULE<c>.lora_A.weight</c>. LoRA, rsLoRA and DoRA on linear
/// layers and on the embedding, with ranks and alphas of their own per module. Anything else in the folder that would change the model is refused by name.
/// </summary>
internal static class PeftAdapterReader
{
    private const string Prefix = "base_model.model.";

    public static Dictionary<string, LoraPart> Read(string folder, LlamaConfig config)
    {
        JsonConfig settings = JsonConfig.Read(Path.Combine(folder, "adapter_config.json"));
        Check(settings);
        bool dora = settings.Bool("use_dora") ?? false;
        bool root = settings.Bool("use_rslora") ?? false;
        int rank = settings.RequireInt("r");
        double alpha = settings.Number("lora_alpha") ?? throw settings.Refuse("lora_alpha", "a number");
        JsonConfig? ranks = settings.Object("rank_pattern");
        JsonConfig? alphas = settings.Object("alpha_pattern");
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, "adapter_model.safetensors"));
        var tensors = new AdapterTensors(file, config);
        var modules = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string canonical, Shape shape) in config.Parameters())
        {
            if (shape.Rank == 2)
            {
                modules[TensorNames.In(CheckpointFormat.Safetensors, canonical)[..^".weight".Length]] = canonical;
            }
        }

        var parts = new Dictionary<string, LoraPart>(StringComparer.Ordinal);
        foreach (TensorInfo info in file.Tensors)
        {
            (string module, bool table) = Split(file, info.Name);
            if (!modules.TryGetValue(module, out string? canonical))
            {
                throw new FileFormatException(file.Path, $"tensor {info.Name}: expected a weight of {config.Name}, which has no {module}");
            }

            if (parts.ContainsKey(canonical))
            {
                continue;
            }

            string stem = Prefix + module;
            (string a, string b) = table ? (stem + ".lora_embedding_A", stem + ".lora_embedding_B") : (stem + ".lora_A.weight", stem + ".lora_B.weight");
            LoraPart part = tensors.Part(canonical, a, b, dora ? stem + ".lora_magnitude_vector" : null, table, Scale, RopeLayout.HalfSplit);
            parts[canonical] = part;

            double Scale(int found)
            {
                int expected = (int)Of(ranks, module, rank);
                return found == expected
                    ? Of(alphas, module, alpha) / (root ? Math.Sqrt(found) : found)
                    : throw new FileFormatException(file.Path, $"tensor {a}: expected the rank {expected} of adapter_config.json, got {found}");
            }
        }

        return parts.Count > 0 ? parts : throw new FileFormatException(file.Path, "adapter: expected matrices, got none");
    }

    private static void Check(JsonConfig settings)
    {
        if (settings.String("peft_type") != "LORA")
        {
            throw settings.Refuse("peft_type", "LORA");
        }

        foreach (string key in (ReadOnlySpan<string>)["fan_in_fan_out", "lora_bias", "use_qalora"])
        {
            if (settings.Bool(key) is true)
            {
                throw settings.Refuse(key, "false");
            }
        }

        // Layers that are laid out anew, and adapters that begin in the middle of a text, would need another forward pass.
        foreach (string key in (ReadOnlySpan<string>)["layer_replication", "alora_invocation_tokens"])
        {
            if (settings.Has(key))
            {
                throw settings.Refuse(key, "none");
            }
        }

        if (settings.String("bias") is not (null or "none"))
        {
            throw settings.Refuse("bias", "none");
        }
    }

    /// <summary>The module that a tensor belongs to, and whether it is an embedding's.</summary>
    private static (string Module, bool Table) Split(SafetensorsFile file, string name)
    {
        if (name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            foreach (string end in (ReadOnlySpan<string>)[".lora_A.weight", ".lora_B.weight", ".lora_magnitude_vector", ".lora_embedding_A", ".lora_embedding_B"])
            {
                if (name.EndsWith(end, StringComparison.Ordinal) && name.Length > Prefix.Length + end.Length)
                {
                    return (name[Prefix.Length..^end.Length], end.Contains("embedding", StringComparison.Ordinal));
                }
            }
        }

        throw new FileFormatException(file.Path, $"tensor {name}: expected one of a LoRA adapter ({Prefix}MODULE.lora_A.weight and the like)");
    }

    /// <summary>The number for a module: that of the first pattern that its name, or the end of it behind a dot, matches.</summary>
    private static double Of(JsonConfig? patterns, string module, double otherwise)
    {
        foreach (string pattern in patterns?.Keys ?? [])
        {
            try
            {
                if (Regex.IsMatch(module, $@"^(?:.*\.)?(?:{pattern})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant))
                {
                    return patterns!.Number(pattern) ?? otherwise;
                }
            }
            catch (Exception e) when (e is ArgumentException or NotSupportedException)
            {
                throw patterns!.Refuse(pattern, "a regular expression of module names");
            }
        }

        return otherwise;
    }
}
