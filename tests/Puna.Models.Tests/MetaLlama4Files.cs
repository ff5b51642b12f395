using System.Text.Json;
using Puna.Formats.Meta;
using Puna.Models.Checkpoints;
using Puna.Models.Tests.Checkpoints.LowPrecision;
using Puna.Tensors;

namespace Puna.Models.Tests;

/// <summary>Writes a model as Meta ships Llama 4 (spec llama4.md 5.1), part by part: written from the page, with plain loops over values.</summary>
internal static class MetaLlama4Files
{
    /// <param name="source">The model.</param>
    /// <param name="folder">Where to.</param>
    /// <param name="parts">Model-parallel parts.</param>
    /// <param name="change">Makes of a float32 tensor of a part what is written instead; may be null.</param>
    public static void Write(Checkpoint source, string folder, int parts, Func<StoredTensor, int, StoredTensor>? change = null)
    {
        Directory.CreateDirectory(folder);
        for (int part = 0; part < parts; part++)
        {
            string alone = Path.Combine(folder, $"part{part}");
            using (var writer = new MetaWriter(alone, Parameters(source.Config)))
            {
                int number = part;
                IEnumerable<StoredTensor> tensors = Part(source, part, parts).Select(static t => StoredTensor.Floats(t.Item1, t.Item2, t.Item3));
                StoredTensor.WriteAll(writer, [.. change is null ? tensors : tensors.Select(t => change(t, number))]);
            }

            File.Move(Path.Combine(alone, "consolidated.00.pth"), Path.Combine(folder, $"consolidated.{part:D2}.pth"));
            File.Move(Path.Combine(alone, "params.json"), Path.Combine(folder, "params.json"), overwrite: true);
            Directory.Delete(alone, recursive: true);
        }
    }

    private static IEnumerable<(string, long[], float[])> Part(Checkpoint source, int part, int parts) => TextPart(source, part, parts).Concat(VisionPart(source, part, parts));

    /// <summary>The picture encoder: heads and widths divided, the rest in every part (spec llama4.md 3.11 and 5.1).</summary>
    private static IEnumerable<(string, long[], float[])> VisionPart(Checkpoint source, int part, int parts)
    {
        foreach ((string name, Shape shape) in source.Config.Llama4!.Vision?.Parameters(source.Config.Hidden) ?? [])
        {
            Tensor tensor = source.File.GetTensor(Llama4VisionNames.In(CheckpointFormat.Safetensors, name));
            bool isMatrix = shape.Rank == 2;
            bool byRow = name.Contains(".wq.") || name.Contains(".wk.") || name.Contains(".wv.") || name.Contains("c_fc") || name.Contains("_linear") || name.Contains("vision_projection");
            bool byColumn = isMatrix && (name.Contains(".wo.") || name.Contains("c_proj"));
            int rows = isMatrix ? (int)shape[0] : 1, columns = (int)shape.Columns;
            int fromRow = byRow && isMatrix ? rows * part / parts : 0, toRow = byRow && isMatrix ? rows * (part + 1) / parts : rows;
            int fromColumn = byColumn || (byRow && !isMatrix) ? columns * part / parts : 0, toColumn = byColumn || (byRow && !isMatrix) ? columns * (part + 1) / parts : columns;
            var values = new List<float>();
            for (int r = fromRow; r < toRow; r++)
            {
                values.AddRange(tensor.Row<float>(r)[fromColumn..toColumn]);
            }

            yield return (name, isMatrix ? [toRow - fromRow, toColumn - fromColumn] : [toColumn - fromColumn], [.. values]);
        }
    }

    private static IEnumerable<(string, long[], float[])> TextPart(Checkpoint source, int part, int parts)
    {
        LlamaConfig c = source.Config;
        Llama4Config four = c.Llama4!;
        int d = c.Hidden, f = four.ExpertFfn / parts;
        yield return ("tok_embeddings.weight", [c.Vocab / parts, d], Rows("tok_embeddings.weight", c.Vocab, d));
        yield return ("output.weight", [c.Vocab / parts, d], Rows("output.weight", c.Vocab, d));
        yield return ("norm.weight", [d], All("norm.weight"));
        yield return ("rope.freqs", [c.HeadDim / 2], new float[c.HeadDim / 2]);
        for (int i = 0; i < c.Layers; i++)
        {
            string p = $"layers.{i}.", g = p + "feed_forward.";
            int q = c.Heads * c.HeadDim, kv = c.KvHeads * c.HeadDim;

            // With more parts than key-value heads, each head is in several.
            int share = Math.Min(parts, c.KvHeads);
            int kvPart = part * share / parts;
            float[] wqkv = [.. Rows(p + "attention.wq.weight", q, d), .. Rows(p + "attention.wk.weight", kv, d, kvPart, share), .. Rows(p + "attention.wv.weight", kv, d, kvPart, share)];
            yield return (p + "attention.wqkv.weight", [wqkv.Length / d, d], wqkv);
            yield return (p + "attention.wqkv.layer_norm_weight", [d], All(p + "attention_norm.weight"));
            yield return (p + "attention.wo.weight", [d, q / parts], Columns(p + "attention.wo.weight", d, q));
            if (!four.HasExperts[i])
            {
                yield return (g + "mlp.layer_norm_weight", [d], All(p + "ffn_norm.weight"));
                yield return (g + "mlp.fc1_weight", [2 * c.Ffn / parts, d], [.. Rows(g + "w1.weight", c.Ffn, d), .. Rows(g + "w3.weight", c.Ffn, d)]);
                yield return (g + "mlp.fc2_weight", [d, c.Ffn / parts], Columns(g + "w2.weight", d, c.Ffn));
                continue;
            }

            int experts = four.Experts;
            yield return (g + "norm.weight", [d], All(p + "ffn_norm.weight"));
            yield return (g + "router_DE", [d, experts], Transposed(All(g + "router.weight"), experts, d));
            yield return (g + "running_gate_stats_3E", [3, experts], new float[3 * experts]);
            yield return (g + "w_in_shared_FD.weight", [f, d], Rows(g + "shared_expert.w1.weight", four.ExpertFfn, d));
            yield return (g + "w_swiglu_FD.weight", [f, d], Rows(g + "shared_expert.w3.weight", four.ExpertFfn, d));
            yield return (g + "w_out_shared_DF.weight", [d, f], Columns(g + "shared_expert.w2.weight", d, four.ExpertFfn));
            var (gate, up, down) = (new List<float>(), new List<float>(), new List<float>());
            for (int e = 0; e < experts; e++)
            {
                string x = $"{g}experts.{e}.";
                gate.AddRange(Transposed(Rows(x + "w1.weight", four.ExpertFfn, d), f, d));
                up.AddRange(Transposed(Rows(x + "w3.weight", four.ExpertFfn, d), f, d));
                down.AddRange(Transposed(Columns(x + "w2.weight", d, four.ExpertFfn), d, f));
            }

            yield return (g + "experts.moe_w_in_eD_F", [experts * d, f], [.. gate]);
            yield return (g + "experts.moe_w_swiglu_eD_F", [experts * d, f], [.. up]);
            yield return (g + "experts.moe_w_out_eF_D", [experts * f, d], [.. down]);
        }

        float[] All(string name)
        {
            Tensor tensor = source.GetTensor(name);
            var values = new List<float>();
            for (int r = 0; r < tensor.Rows; r++)
            {
                values.AddRange(tensor.Row<float>(r));
            }

            return [.. values];
        }

        float[] Rows(string name, int rows, int columns, int? index = null, int? of = null)
        {
            int count = rows / (of ?? parts) * columns;
            return All(name)[((index ?? part) * count)..(((index ?? part) + 1) * count)];
        }

        float[] Columns(string name, int rows, int columns)
        {
            float[] all = All(name);
            int count = columns / parts;
            var result = new float[rows * count];
            for (int r = 0; r < rows; r++)
            {
                for (int k = 0; k < count; k++)
                {
                    result[(r * count) + k] = all[(r * columns) + (part * count) + k];
                }
            }

            return result;
        }
    }

    private static float[] Transposed(float[] values, int rows, int columns)
    {
        var result = new float[values.Length];
        for (int r = 0; r < rows; r++)
        {
            for (int k = 0; k < columns; k++)
            {
                result[(k * rows) + r] = values[(r * columns) + k];
            }
        }

        return result;
    }

    private static MetaParams Parameters(LlamaConfig c)
    {
        Llama4Config four = c.Llama4!;
        int step = four.HasExperts.ToList().IndexOf(true) + 1;
        string scaling = "";
        if (c.RopeScaling is RopeScaling.Llama3 rule)
        {
            // Meta's keys know one original context only; the golden has another, which Hugging Face's key says.
            scaling = $$"""
                , "rope_scaling": {"rope_type": "llama3", "factor": {{rule.Factor}}, "low_freq_factor": {{rule.LowFrequencyFactor}},
                "high_freq_factor": {{rule.HighFrequencyFactor}}, "original_max_position_embeddings": {{rule.OriginalContext}}}
                """;
        }

        string vision = four.Vision is not { } v ? "" : FormattableString.Invariant($$"""
            , "vision_args": {"image_size": {"height": {{v.ImageSize}}, "width": {{v.ImageSize}}}, "patch_size": {"height": {{v.PatchSize}}, "width": {{v.PatchSize}}}, "dim": {{v.Hidden}},
            "n_layers": {{v.Layers}}, "n_heads": {{v.Heads}}, "mlp_ratio": 4.0, "output_dim": {{v.AdapterOutput}}, "pixel_shuffle_ratio": 0.5}
            """);
        string json = FormattableString.Invariant($$"""
            {"dim": {{c.Hidden}}, "n_layers": {{c.Layers}}, "n_heads": {{c.Heads}}, "n_kv_heads": {{c.KvHeads}}, "vocab_size": -1, "norm_eps": 1e-5, "rope_theta": {{c.RopeTheta}},
            "attention_chunk_size": {{four.ChunkSize}}, "nope_layer_interval": 4, "use_qk_norm": {{(four.QkNorm ? "true" : "false")}}, "attn_temperature_tuning": true,
            "floor_scale": {{four.FloorScale}}, "attn_scale": {{four.AttentionScale}},
            "moe_args": {"num_experts": {{four.Experts}}, "top_k": 1, "interleave_moe_layer_step": {{step}}}{{scaling}}{{vision}}}
            """);
        return MetaParams.Parse(System.Text.Encoding.UTF8.GetBytes(json), "params.json");
    }
}
