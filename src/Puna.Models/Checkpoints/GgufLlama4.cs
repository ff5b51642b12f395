using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>
/// What GGUF's architecture <c>llama4</c> says beyond a dense model (spec llama4.md 5.5). Chunk, temperature, layers without rotation and the norm of queries and keys have no standard keys: readers
/// know the values of the releases. Where a model has others, keys of our own say so, which other readers pass over.
/// </summary>
internal static class GgufLlama4
{
    /// <summary>Name of the architecture, which is the prefix of its keys.</summary>
    public const string Architecture = "llama4";

    private const string Own = "puna.llama4.";

    /// <summary>Reads the keys.</summary>
    /// <exception cref="PunaException">A key is missing or malformed.</exception>
    public static Llama4Config Read(string path, GgufMetadata metadata, int layers)
    {
        Llama4Config standard = Standard(path, metadata, layers);
        long? chunk = metadata.GetInteger(Own + "chunk_size") ?? metadata.GetInteger(Architecture + ".attention.chunk_size");
        return standard with
        {
            ChunkSize = chunk is null ? standard.ChunkSize : chunk is > 0 and <= int.MaxValue ? (int)chunk
                : throw new FileFormatException(path, $"metadata {Architecture}.attention.chunk_size: expected a positive number, got {chunk}"),
            QkNorm = metadata.GetBool(Own + "use_qk_norm") ?? metadata.GetBool(Architecture + ".use_qk_norm") ?? standard.QkNorm,
            Temperature = metadata.GetBool(Own + "attn_temperature_tuning") ?? standard.Temperature,
            FloorScale = metadata.GetNumber(Own + "floor_scale") ?? standard.FloorScale,
            AttentionScale = metadata.GetNumber(Own + "attn_scale") ?? standard.AttentionScale,
            HasExperts = Flags(path, metadata, "expert_layers", layers) ?? standard.HasExperts,
            IsRotary = Flags(path, metadata, "rotary_layers", layers) ?? standard.IsRotary,
            IsLocal = Flags(path, metadata, "local_layers", layers) ?? standard.IsLocal,
        };
    }

    /// <summary>Writes the keys, those of our own only where the standard ones mean something else.</summary>
    public static void Write(GgufMetadata metadata, Llama4Config config, int layers)
    {
        metadata.Set(Architecture + ".expert_count", (uint)config.Experts);
        metadata.Set(Architecture + ".expert_used_count", (uint)config.ExpertsPerToken);
        metadata.Set(Architecture + ".expert_feed_forward_length", (uint)config.ExpertFfn);
        int first = config.HasExperts.ToList().IndexOf(true);
        metadata.Set(Architecture + ".interleave_moe_layer_step", (uint)(first < 0 ? layers + 1 : first + 1));
        Llama4Config standard = Standard("", metadata, layers);
        Different("chunk_size", (uint)config.ChunkSize, (uint)standard.ChunkSize, config.ChunkSize > 0);
        Different("use_qk_norm", config.QkNorm, standard.QkNorm);
        Different("attn_temperature_tuning", config.Temperature, standard.Temperature);
        Different("floor_scale", config.FloorScale, standard.FloorScale);
        Different("attn_scale", config.AttentionScale, standard.AttentionScale);
        DifferentFlags("expert_layers", config.HasExperts, standard.HasExperts);
        DifferentFlags("rotary_layers", config.IsRotary, standard.IsRotary);
        DifferentFlags("local_layers", config.IsLocal, standard.IsLocal);

        void Different<T>(string key, T value, T known, bool matters = true)
            where T : notnull
        {
            if (matters && !value.Equals(known))
            {
                metadata.Set(Own + key, value);
            }
        }

        void DifferentFlags(string key, IReadOnlyList<bool> value, IReadOnlyList<bool> known)
        {
            if (!value.SequenceEqual(known))
            {
                metadata.Set(Own + key, value.Select(static x => x ? 1 : 0).ToArray());
            }
        }
    }

    private static Llama4Config Standard(string path, GgufMetadata metadata, int layers)
    {
        int experts = Int("expert_count") ?? 0;
        int step = Int("interleave_moe_layer_step") ?? 1;
        bool[] rotary = Llama4Config.Except(Llama4Config.EveryNth(layers, Int("attention.sliding_window_pattern") ?? 4));

        // A window of 0 stands for models without chunks, which rotate in every layer.
        bool isGlobal = Int("attention.sliding_window") == 0;
        return new Llama4Config
        {
            Experts = Math.Max(1, experts),
            ExpertsPerToken = Math.Max(1, Int("expert_used_count") ?? 1),
            ExpertFfn = Int("expert_feed_forward_length") ?? (experts == 0 ? 1 : throw new FileFormatException(path, $"metadata {Architecture}.expert_feed_forward_length: expected a number, got none")),
            HasExperts = experts == 0 ? new bool[layers] : Llama4Config.EveryNth(layers, step),
            IsRotary = isGlobal ? [.. Enumerable.Repeat(true, layers)] : rotary,
            IsLocal = isGlobal ? new bool[layers] : rotary,
            QkNorm = experts != 128,
        };

        int? Int(string key) => metadata.GetInteger($"{Architecture}.{key}") is not long value ? null
            : value is >= 0 and <= int.MaxValue ? (int)value
            : throw new FileFormatException(path, $"metadata {Architecture}.{key}: expected a 32-bit number, got {value}");
    }

    private static bool[]? Flags(string path, GgufMetadata metadata, string key, int layers) => metadata.GetIntegers(Own + key) is not long[] list ? null
        : list.Length == layers ? [.. list.Select(static x => x != 0)]
        : throw new FileFormatException(path, $"metadata {Own}{key}: expected {layers} numbers, got {list.Length}");
}
