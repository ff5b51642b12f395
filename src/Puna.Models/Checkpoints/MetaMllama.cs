using Puna.Formats;
using Puna.Formats.Meta;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>
/// Reads what a checkpoint of Meta's says of a Llama 3.2 Vision beyond its text model (spec llama1-3.md 1.3, 3.1, 4.9). <c>params.json</c> holds the tile's side and little else: widths and numbers of blocks are those of the
/// tensors; heads and taps are constants of Meta's code, unless a <c>vision_config</c> with Hugging Face's keys says otherwise.
/// </summary>
internal static class MetaMllama
{
    /// <summary>What stands before the names of the text model.</summary>
    public const string TextPrefix = "text_model.";

    private const string Encoder = "vision_model.vision_encoder.";

    /// <summary>Whether the settings are those of a model that sees; text models may have the key with -1.</summary>
    public static bool Is(JsonConfig json) => json.Int("vision_chunk_size") > 0;

    /// <summary>Reads the settings and sizes.</summary>
    /// <param name="json">The settings.</param>
    /// <param name="file">The tensors.</param>
    /// <param name="parameters">The settings of the text model.</param>
    /// <param name="vocab">Rows of the output layer.</param>
    public static MllamaConfig Read(JsonConfig json, TensorFile file, MetaParams parameters, int vocab)
    {
        int cross = json.Int("vision_num_cross_attention_layers") is int said and > 0 ? said : Count(file, TextPrefix + "cross_attention_layers.", ".gate_attn");
        if (cross < 1 || cross > parameters.NLayers)
        {
            throw json.Refuse("vision_num_cross_attention_layers", $"1 to {parameters.NLayers}");
        }

        JsonConfig? more = json.Object("vision_config");
        int tiles = json.Int("vision_max_num_chunks") ?? 4;
        if (tiles is < 1 or > 256)
        {
            throw json.Refuse("vision_max_num_chunks", "1 to 256");
        }

        Shape patches = Require(file, Encoder + "conv1._linear.weight");
        return new MllamaConfig
        {
            CrossLayers = MllamaConfig.Spread(parameters.NLayers, cross),
            ExtraEmbeddings = checked((int)Require(file, MllamaNames.MetaExtraEmbedding).Rows),
            ImageToken = vocab,
            Hidden = checked((int)patches.Rows),
            Ffn = checked((int)Require(file, Encoder + "transformer.resblocks.0.mlp.c_fc.weight").Rows),
            Heads = more?.Int("attention_heads") ?? 16,
            LocalLayers = Count(file, Encoder + "transformer.resblocks.", ".ln_1.weight"),
            GlobalLayers = Count(file, Encoder + "global_transformer.resblocks.", ".ln_1.weight"),
            Taps = [.. (more?.Ints("intermediate_layers_indices") ?? [3, 7, 15, 23, 30]).Order()],
            ImageSize = json.RequireInt("vision_chunk_size"),
            PatchSize = (int)Math.Round(Math.Sqrt(patches.Columns / (double)MllamaConfig.Channels)),
            MaxTiles = tiles,
            AspectRatios = [.. from height in Enumerable.Range(1, tiles) from width in Enumerable.Range(1, tiles / height) select (height, width)],
            HasCellTables = true,
        };
    }

    private static Shape Require(TensorFile file, string name) =>
        file.TryGetInfo(name, out TensorInfo? info) ? info.Shape : throw new FileFormatException(file.Path, $"tensor {name}: expected in the checkpoint, got none");

    private static int Count(TensorFile file, string before, string after)
    {
        int count = 0;
        while (file.TryGetInfo($"{before}{count}{after}", out _))
        {
            count++;
        }

        return count;
    }
}
