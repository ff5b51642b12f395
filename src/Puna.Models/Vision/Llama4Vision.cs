using Puna.Models.PromptGuard;
using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>
/// Turns pictures into tokens of a Llama 4: patches, layers within each tile, squares of neighbours side by side, adapter, projection to the width of the language model (spec llama4.md 4.5 to 4.8).
/// Immutable and shareable.
/// </summary>
public sealed class Llama4Vision
{
    private const string Encoder = "vision_embeddings.vision_encoder.";

    private readonly Linear _patches;
    private readonly Weight _class;
    private readonly Weight _positions;
    private readonly LayerNorm _before;
    private readonly Llama4VisionLayer[] _layers;
    private readonly LayerNorm _behind;
    private readonly Linear _adapter1;
    private readonly Linear _adapter2;
    private readonly Linear _projection;

    private Llama4Vision(Llama4VisionConfig config, Func<string, Weight> weight)
    {
        Linear Layer(string name) => new(weight(name + ".weight"));
        Linear Biased(string name) => new BiasedLinear(weight(name + ".weight"), weight(name + ".bias"));
        LayerNorm Norm(string name) => new(weight(name + ".weight"), weight(name + ".bias"), config.NormEpsilon);

        Config = config;
        _patches = Layer(Encoder + "conv1._linear");
        _class = weight(Encoder + "class_embedding");
        _positions = weight(Encoder + "positional_embedding_vlm");
        _before = Norm(Encoder + "ln_pre");
        _layers = new Llama4VisionLayer[config.Layers];
        for (int i = 0; i < _layers.Length; i++)
        {
            string p = $"{Encoder}transformer.resblocks.{i}.";
            LayerNorm first = Norm(p + "ln_1");
            var attention = (Biased(p + "attn.wq"), Biased(p + "attn.wk"), Biased(p + "attn.wv"), Biased(p + "attn.wo"));
            LayerNorm second = Norm(p + "ln_2");
            Linear up = Biased(p + "mlp.c_fc");
            _layers[i] = new Llama4VisionLayer(first, attention, second, up, Biased(p + "mlp.c_proj"), config.HeadDim);
        }

        _behind = Norm(Encoder + "ln_post");
        _adapter1 = Layer("vision_embeddings.vision_adapter.mlp.c_fc");
        _adapter2 = Layer("vision_embeddings.vision_adapter.mlp.c_proj");
        _projection = Layer("vision_projection");
    }

    /// <summary>Shape.</summary>
    public Llama4VisionConfig Config { get; }

    /// <summary>Builds the encoder from its config and a source of weights under Meta's names.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="weight">Gives the weight of a name, in the shape that <see cref="Llama4VisionConfig.Parameters"/> says; the class embedding as a matrix of one row.</param>
    public static Llama4Vision Build(Llama4VisionConfig config, Func<string, Weight> weight) => new(config, weight);

    /// <summary>The tokens of some tiles.</summary>
    /// <param name="ops">The device; the result lives in its current scope.</param>
    /// <param name="pixels">Normalised values <c>[tiles, 3, size, size]</c>.</param>
    /// <param name="tiles">How many tiles.</param>
    /// <returns><c>[tiles * tokensPerTile, hidden of the language model]</c> float32, tile after tile.</returns>
    public Tensor Forward(IOps ops, ReadOnlySpan<float> pixels, int tiles) => _projection.Forward(ops, Features(ops, pixels, tiles));

    /// <summary>The output of the adapter, before the projection: what the reference calls image features.</summary>
    /// <inheritdoc cref="Forward" path="/param"/>
    /// <returns><c>[tiles * tokensPerTile, adapterOutput]</c> float32.</returns>
    public Tensor Features(IOps ops, ReadOnlySpan<float> pixels, int tiles)
    {
        Tensor x = Embed(ops, pixels, tiles);
        var context = new Llama4VisionContext();
        Prepare(ops, tiles, context);
        x = _before.Forward(ops, x);
        foreach (Llama4VisionLayer layer in _layers)
        {
            x = ops.Run(layer, x, context);
        }

        x = Shuffle(ops, _behind.Forward(ops, x), tiles);
        return ops.Gelu(_adapter2.Forward(ops, ops.Gelu(_adapter1.Forward(ops, x))));
    }

    /// <summary>The tokens of some tiles in memory of their own, computed tile by tile.</summary>
    /// <param name="ops">The device; nobody else uses it meanwhile.</param>
    /// <param name="pixels">As above.</param>
    /// <param name="tiles">As above.</param>
    /// <returns>As above.</returns>
    public Tensor Encode(CpuOps ops, ReadOnlySpan<float> pixels, int tiles)
    {
        Tensor all = Tensor.Create(new Shape((long)tiles * Config.TokensPerTile, _projection.Weight.Out));
        int tile = 3 * Config.ImageSize * Config.ImageSize, values = Config.TokensPerTile * _projection.Weight.Out;
        for (int i = 0; i < tiles; i++)
        {
            ArenaMark mark = ops.Mark();
            try
            {
                ops.Read(Forward(ops, pixels.Slice(i * tile, tile), 1), all.Storage.Span<float>((nint)i * values * sizeof(float), values));
            }
            finally
            {
                ops.Release(mark);
            }
        }

        return all;
    }

    /// <summary>Patches with their places; the class token stands behind the patches of its tile.</summary>
    private Tensor Embed(IOps ops, ReadOnlySpan<float> pixels, int tiles)
    {
        int grid = Config.Grid, size = Config.PatchSize, side = Config.ImageSize, rows = (grid * grid) + 1;
        if (pixels.Length != tiles * 3L * side * side)
        {
            throw new ArgumentException($"pixels: expected {tiles} tiles of 3 x {side} x {side}, got {pixels.Length} values", nameof(pixels));
        }

        // A row of zeros in place of the class token stays zero, because the layer has no bias.
        Tensor patches = ops.Allocate(new Shape((long)tiles * rows, 3L * size * size));
        var classRows = new int[tiles];
        var positions = new int[tiles * rows];
        for (int tile = 0; tile < tiles; tile++)
        {
            for (int patch = 0; patch < grid * grid; patch++)
            {
                Span<float> to = patches.Row<float>((tile * rows) + patch);
                int corner = (patch / grid * size * side) + (patch % grid * size);
                for (int c = 0; c < 3; c++)
                {
                    for (int y = 0; y < size; y++)
                    {
                        pixels.Slice((((tile * 3) + c) * side * side) + corner + (y * side), size).CopyTo(to[(((c * size) + y) * size)..]);
                    }
                }
            }

            classRows[tile] = (tile * rows) + rows - 1;
            patches.Row<float>(classRows[tile]).Clear();
            for (int i = 0; i < rows; i++)
            {
                positions[(tile * rows) + i] = i;
            }
        }

        Tensor x = ops.AddRows(_patches.Forward(ops, patches), ops.Gather(_class, new int[tiles]), classRows);
        return ops.Add(x, ops.Gather(_positions, positions));
    }

    /// <summary>Angles: half of a head's pairs turn by the column, half by the row, both counted from 1; the class token is not turned.</summary>
    private void Prepare(IOps ops, int tiles, Llama4VisionContext context)
    {
        int grid = Config.Grid, rows = (grid * grid) + 1, quarter = Config.HeadDim / 4;
        context.Cos = ops.Allocate(new Shape((long)tiles * rows, 2L * quarter));
        context.Sin = ops.Allocate(new Shape((long)tiles * rows, 2L * quarter));
        context.Plan.Clear();
        for (int tile = 0; tile < tiles; tile++)
        {
            context.Plan.AddSequence(0, rows);
            context.Plan.AddQueries(rows, 0, rows);
            for (int i = 0; i < rows; i++)
            {
                Span<float> cos = context.Cos.Row<float>((tile * rows) + i), sin = context.Sin.Row<float>((tile * rows) + i);
                for (int f = 0; f < 2 * quarter; f++)
                {
                    int place = i == rows - 1 ? 0 : f < quarter ? (i % grid) + 1 : (i / grid) + 1;
                    double angle = place * Math.Pow(Config.RopeTheta, -(double)(f % quarter) / quarter);
                    (cos[f], sin[f]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
                }
            }
        }
    }

    /// <summary>The class token goes, and squares of patches become one token each: row by row, and row by row inside.</summary>
    private Tensor Shuffle(IOps ops, Tensor x, int tiles)
    {
        int grid = Config.Grid, side = Config.Shuffle, small = grid / side;
        var rows = new int[tiles * small * small];
        Tensor wide = default;
        for (int place = 0; place < side * side; place++)
        {
            for (int i = 0; i < rows.Length; i++)
            {
                int tile = i / (small * small), token = i % (small * small);
                int row = (token / small * side) + (place / side), column = (token % small * side) + (place % side);
                rows[i] = (tile * ((grid * grid) + 1)) + (row * grid) + column;
            }

            Tensor part = ops.SelectRows(x, rows);
            wide = place == 0 ? part : ops.ConcatColumns(wide, [part]);
        }

        return wide;
    }
}
