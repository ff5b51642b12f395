using System.Text.RegularExpressions;
using Puna.Formats;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Adapters;

/// <summary>
/// Adapters as peft saves them (spec training.md 4.6): <c>adapter_config.json</c> and <c>adapter_model.safetensors</c> with names <c>base_model.model.</c>MODULE<c>.lora_A.weight</c>. LoRA, rsLoRA and DoRA on linear
/// layers and on the embedding, with ranks and alphas of their own per module, and whole parameters (<c>modules_to_save</c>, and embeddings that were saved along) under the names of the model. Anything else in the folder that would change the model is refused by name.
/// </summary>
internal static class PeftAdapterReader
{
    private const string Prefix = "base_model.model.";
    private const string OutputName = "output.weight";

    public static AdapterContent Read(string folder, LlamaConfig config)
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
        RopeLayout layout = config.Llama4 is null ? RopeLayout.HalfSplit : RopeLayout.Interleaved;
        var modules = new Dictionary<string, string>(StringComparer.Ordinal);
        var parameters = new Dictionary<string, (string Canonical, Shape Shape)>(StringComparer.Ordinal);
        foreach ((string canonical, Shape shape) in config.Parameters())
        {
            foreach (string name in Names(canonical, config))
            {
                parameters[name] = (canonical, shape);
                if (shape.Rank == 2)
                {
                    modules[name[..^".weight".Length]] = canonical;
                }
            }
        }

        if (config is { TiedEmbeddings: true, Labels: 0 })
        {
            foreach (string name in Names(OutputName, config))
            {
                parameters[name] = (OutputName, new Shape(config.Vocab, config.Hidden));
            }
        }

        var parts = new Dictionary<string, LoraPart>(StringComparer.Ordinal);
        var stems = new Dictionary<string, string>(StringComparer.Ordinal);
        var whole = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (TensorInfo info in file.Tensors)
        {
            if (parameters.TryGetValue(WholeName(info.Name), out (string Canonical, Shape Shape) parameter))
            {
                whole[parameter.Canonical] = whole.ContainsKey(parameter.Canonical)
                    ? throw new FileFormatException(file.Path, $"tensor {info.Name}: expected {parameter.Canonical} once, got it again")
                    : tensors.Whole(info, parameter.Shape);
                continue;
            }

            (string module, bool table) = Split(file, info.Name);
            if (!modules.TryGetValue(module, out string? canonical))
            {
                throw new FileFormatException(file.Path, $"tensor {info.Name}: expected a weight of {config.Name}, which has no {module}");
            }

            string stem = Prefix + module;
            if (stems.TryGetValue(canonical, out string? first))
            {
                if (first != stem)
                {
                    throw new FileFormatException(file.Path, $"tensor {info.Name}: expected {canonical} once, got it as {first} too");
                }

                continue;
            }

            stems.Add(canonical, stem);
            (string a, string b) = table ? (stem + ".lora_embedding_A", stem + ".lora_embedding_B") : (stem + ".lora_A.weight", stem + ".lora_B.weight");
            LoraPart part = tensors.Part(canonical, a, b, dora ? stem + ".lora_magnitude_vector" : null, table, Scale, layout);
            parts[canonical] = part;

            double Scale(int found)
            {
                int expected = (int)Of(ranks, module, rank);
                return found == expected
                    ? Of(alphas, module, alpha) / (root ? Math.Sqrt(found) : found)
                    : throw new FileFormatException(file.Path, $"tensor {a}: expected the rank {expected} of adapter_config.json, got {found}");
            }
        }

        if (settings.Has("modules_to_save") && settings.Strings("modules_to_save") is { Count: > 0 } saved && whole.Count == 0)
        {
            throw new FileFormatException(file.Path, $"adapter: expected the modules_to_save {string.Join(", ", saved)} of adapter_config.json in full, got none of them");
        }

        return parts.Count + whole.Count > 0
            ? new AdapterContent(parts, whole, layout, Unties(settings, config, file, whole))
            : throw new FileFormatException(file.Path, "adapter: expected matrices, got none");
    }

    /// <summary>
    /// Where the output layer is the embedding, peft gives each module that it saves values of its own, so that they are two from then on; with <c>ensure_weight_tying</c> they stay one.
    /// </summary>
    private static bool Unties(JsonConfig settings, LlamaConfig config, SafetensorsFile file, Dictionary<string, Tensor> whole)
    {
        bool hasOutput = whole.TryGetValue(OutputName, out Tensor output), hasTable = whole.TryGetValue(Llama.EmbeddingName, out Tensor table);
        if (config is not { TiedEmbeddings: true, Labels: 0 } || !(hasOutput || hasTable))
        {
            return false;
        }

        if (settings.Bool("ensure_weight_tying") is not true)
        {
            return true;
        }

        bool isSame = output.DType == table.DType;
        for (long row = 0; hasOutput && hasTable && isSame && row < table.Rows; row++)
        {
            isSame = output.Row<byte>(row).SequenceEqual(table.Row<byte>(row));
        }

        if (hasOutput && hasTable && !isSame)
        {
            throw new FileFormatException(file.Path, "adapter: expected the same values for the embedding and the output layer, which ensure_weight_tying makes one, got others");
        }

        whole[Llama.EmbeddingName] = hasTable ? table : output;
        whole.Remove(OutputName);
        return false;
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

    /// <summary>The name that a tensor has in the model where the adapter has it in full; beside matrices to be added to it, it is called a base layer.</summary>
    private static string WholeName(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..].Replace(".base_layer.", ".", StringComparison.Ordinal) : "";

    /// <summary>The names of a parameter in the model that was trained. Llama 4 is published as a model that sees, whose text model is a part of it; adapters of the text model alone go without the prefix.</summary>
    private static IEnumerable<string> Names(string canonical, LlamaConfig config)
    {
        string name = TensorNames.In(CheckpointFormat.Safetensors, canonical, config);
        yield return name;
        if (config.Llama4 is not null && (name.StartsWith("model.", StringComparison.Ordinal) || name.StartsWith("lm_head.", StringComparison.Ordinal)))
        {
            yield return "language_model." + name;
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
