using System.Globalization;
using Puna.Models;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Bench.Vision;

/// <summary>
/// What Llama 3.2 Vision's encoder takes for a picture of one, two and four tiles, with each empty tile slot computed on its own and with those that are equal computed once: <c>pictures [LAYERS [ROUNDS]]</c>. Random
/// weights of the released shape, of which so many layers of the first stage and one of the second; the tables of places are zeros for slots that are not used, as in released files. Both ways take turns, on one thread, whose processor time is shown: others on the machine disturb that less.
/// </summary>
internal static class PictureReport
{
    /// <summary>Runs the report.</summary>
    /// <param name="args">As above.</param>
    public static int Run(string[] args)
    {
        int layers = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 2, rounds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 3;
        LlamaConfig text = LlamaPresets.All["llama-3.2-11b-vision"];
        text = text with { Layers = 1, Vision = text.Vision! with { CrossLayers = [0], LocalLayers = layers, GlobalLayers = 1, Taps = [0] } };
        MllamaConfig config = text.Vision!;
        var shapes = text.Parameters().ToDictionary(static p => p.Name, static p => p.Shape, StringComparer.Ordinal);
        using var ops = new CpuOps(1);
        var random = new Random(1);
        MllamaVision vision = MllamaVision.Build(config, name => new Weight(name, Random(random, name, shapes[name]))).With(ops.Pack);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"1 thread, kernels {ops.Path.ToString().ToLowerInvariant()}; {layers} + 1 layers of width {config.Hidden}, tiles of {config.TileTokens} tokens; seconds of processor time, median of {rounds} (least to greatest)"));
        foreach ((int tiles, int ratio) in new[] { (1, 1), (2, 2), (4, 6) })
        {
            float[] pixels = [.. Enumerable.Range(0, tiles * MllamaConfig.Channels * config.ImageSize * config.ImageSize).Select(_ => random.NextSingle() - 0.5f)];
            var image = new MllamaImage(pixels, ratio, [.. Enumerable.Range(0, config.MaxTiles).Select(t => t < tiles)]);
            var seconds = new List<double>[] { [], [] };
            for (int round = 0; round < rounds; round++)
            {
                for (int way = 0; way < 2; way++)
                {
                    ArenaMark mark = ops.Mark();
                    TimeSpan start = Environment.CpuUsage.TotalTime;
                    _ = vision.Forward(ops, [image], shareEmpty: way == 1);
                    seconds[way].Add((Environment.CpuUsage.TotalTime - start).TotalSeconds);
                    ops.Release(mark);
                }
            }

            Console.WriteLine($"{tiles} of {config.MaxTiles} tiles: each slot {Shown(seconds[0])}, equal ones once {Shown(seconds[1])}");
        }

        return 0;
    }

    private static string Shown(List<double> seconds)
    {
        double[] sorted = [.. seconds.Order()];
        return string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Length / 2]:F1} ({sorted[0]:F1} to {sorted[^1]:F1})");
    }

    private static Tensor Random(Random random, string name, Shape shape)
    {
        Tensor tensor = Tensor.Create(shape);
        bool isTable = name.EndsWith("tile_pos_embed.embedding", StringComparison.Ordinal) || name.EndsWith("gated_positional_embedding", StringComparison.Ordinal);
        float size = MathF.Sqrt(3f / shape.Columns);
        for (long row = 0; row < tensor.Rows && !isTable; row++)
        {
            foreach (ref float value in tensor.Row<float>(row))
            {
                value = name.Contains(".ln_", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal) ? 1 : (random.NextSingle() - 0.5f) * size;
            }
        }

        return tensor;
    }
}
