using System.Runtime.InteropServices;
using System.Text;
using Puna.Formats.Meta;
using Puna.Models.Checkpoints;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Tests.Vision;

/// <summary>Writes a Llama 3.2 Vision as Meta ships it (spec llama1-3.md 4.9), part by part: written from the page, with plain loops over values.</summary>
internal static class MetaMllamaFiles
{
    private static readonly string[] _tables = ["gated_positional_embedding", "pre_tile_pos_embed.embedding", "post_tile_pos_embed.embedding"];

    /// <summary>Tables by row and column of the tile, for a model that has none: random values <c>[4, 4, tokens, hidden]</c> under canonical names.</summary>
    public static Dictionary<string, float[]> Cells(Checkpoint source)
    {
        MllamaConfig vision = source.Config.Vision!;
        var random = new Random(5);
        return _tables.ToDictionary(
            static name => "vision_model.vision_encoder." + name,
            name => Enumerable.Range(0, 16 * (name[0] == 'g' ? vision.TileTokens : 1) * vision.Hidden).Select(_ => (float)random.NextDouble() - 0.5f).ToArray());
    }

    /// <summary>The same as Hugging Face has it: for every aspect ratio the cells of its tiles, row by row, and zeros for empty slots; row 0 is of no image.</summary>
    public static Tensor ByAspectRatio(float[] cells, Shape shape, MllamaConfig vision)
    {
        int cell = cells.Length / 16;
        var table = new float[shape.Count];
        for (int id = 1; id <= vision.AspectRatios.Count; id++)
        {
            (int height, int width) = vision.AspectRatios[id - 1];
            for (int slot = 0; slot < height * width; slot++)
            {
                int place = (slot / width * 4) + (slot % width);
                cells.AsSpan(place * cell, cell).CopyTo(table.AsSpan(((id * 4) + slot) * cell));
            }
        }

        return Tensor.From(table, shape);
    }

    public static void Write(Checkpoint source, Dictionary<string, float[]> cells, string folder, int parts)
    {
        for (int part = 0; part < parts; part++)
        {
            string alone = Path.Combine(folder, $"part{part}");
            using (var writer = new MetaWriter(alone, Parameters(source.Config)))
            {
                (string Name, long[] Shape, float[] Values)[] tensors = [.. Part(source, cells, part, parts)];
                foreach ((string name, long[] shape, float[] _) in tensors)
                {
                    writer.Declare(name, DType.F32, new Shape(shape));
                }

                writer.Begin();
                foreach ((_, _, float[] values) in tensors)
                {
                    writer.Write(MemoryMarshal.AsBytes<float>(values));
                }

                writer.Complete();
            }

            File.Move(Path.Combine(alone, "consolidated.00.pth"), Path.Combine(folder, $"consolidated.{part:D2}.pth"));
            File.Move(Path.Combine(alone, "params.json"), Path.Combine(folder, "params.json"), overwrite: true);
            Directory.Delete(alone, recursive: true);
        }
    }

    private static IEnumerable<(string Name, long[] Shape, float[] Values)> Part(Checkpoint source, Dictionary<string, float[]> cells, int part, int parts)
    {
        LlamaConfig config = source.Config;
        yield return ("text_model.rope.freqs", [config.HeadDim / 2], new float[config.HeadDim / 2]);
        foreach ((string name, Shape shape) in config.Parameters())
        {
            string full = name.StartsWith("vision_model.", StringComparison.Ordinal) ? name : "text_model." + name;
            if (cells.TryGetValue(name, out float[]? table))
            {
                int hidden = config.Vision!.Hidden;
                yield return (full, [4, 4, table.Length / 16 / hidden, hidden], table);
                continue;
            }

            float[] values = MllamaGolden.Read(new CpuOps(1), Float(source, name, shape));
            int columns = (int)shape.Columns, rows = (int)shape.Rows;
            if (name == "tok_embeddings.weight")
            {
                int vocab = config.Vocab * columns, extra = values.Length - vocab;
                yield return (full, [config.Vocab / parts, columns], values[(part * vocab / parts)..((part + 1) * vocab / parts)]);
                yield return ("text_model.learnable_embedding.weight", [extra / columns / parts, columns], values[(vocab + (part * extra / parts))..(vocab + ((part + 1) * extra / parts))]);
                continue;
            }

            if (name.StartsWith("layers.", StringComparison.Ordinal) && (name.EndsWith("wq.weight", StringComparison.Ordinal) || name.EndsWith("wk.weight", StringComparison.Ordinal)))
            {
                values = Interleaved(values, config.HeadDim, columns);
            }

            switch (Axis(name))
            {
                case 0:
                    yield return (full, shape.Rank == 1 ? [columns / parts] : [rows / parts, columns], values[(part * values.Length / parts)..((part + 1) * values.Length / parts)]);
                    break;
                case 1:
                    int width = columns / parts;
                    yield return (full, [rows, width], [.. Enumerable.Range(0, rows * width).Select(i => values[(i / width * columns) + (part * width) + (i % width)])]);
                    break;
                default:
                    yield return (full, shape.ToArray(), values);
                    break;
            }
        }
    }

    private static Tensor Float(Checkpoint source, string name, Shape shape)
    {
        Tensor tensor = source.GetTensor(name);
        Assert.Equal((DType.F32, shape), (tensor.DType, tensor.Shape));
        return tensor;
    }

    /// <summary>The axis that is divided, -1 where every part has the whole (the table's last column).</summary>
    private static int Axis(string name)
    {
        string[] parts = name.Split('.');
        return (parts[^2], parts[^1]) switch
        {
            ("wq" or "wk" or "wv" or "w1" or "w3" or "output" or "c_fc" or "_linear" or "vision_projection", _) => 0,
            ("wo" or "w2" or "c_proj", "weight") => 1,
            _ => -1,
        };
    }

    /// <summary>Rows of wq or wk from Hugging Face's order to Meta's: 2 i was i, 2 i + 1 was i + headDim / 2.</summary>
    private static float[] Interleaved(float[] values, int headDim, int columns)
    {
        var result = new float[values.Length];
        for (int row = 0; row < values.Length / columns; row++)
        {
            int within = row % headDim;
            int from = row - within + (within / 2) + (within % 2 * headDim / 2);
            values.AsSpan(from * columns, columns).CopyTo(result.AsSpan(row * columns));
        }

        return result;
    }

    private static MetaParams Parameters(LlamaConfig c)
    {
        MllamaConfig vision = c.Vision!;
        string json = FormattableString.Invariant($$"""
            {"dim": {{c.Hidden}}, "n_layers": {{c.Layers}}, "n_heads": {{c.Heads}}, "n_kv_heads": {{c.KvHeads}}, "vocab_size": {{c.Vocab}}, "norm_eps": 1e-5, "rope_theta": {{c.RopeTheta}},
            "vision_chunk_size": {{vision.ImageSize}}, "vision_max_num_chunks": 4, "vision_num_cross_attention_layers": {{vision.CrossLayers.Count}},
            "vision_config": {"attention_heads": {{vision.Heads}}, "intermediate_layers_indices": [{{string.Join(", ", vision.Taps)}}]}
            }
            """);
        return MetaParams.Parse(Encoding.UTF8.GetBytes(json), "params.json");
    }
}
