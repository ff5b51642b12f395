using System.Numerics;
using Puna.Formats.Meta;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Tensors;

namespace Puna.Models.Tests.Checkpoints.LowPrecision;

/// <summary>Llama 3.2 in INT4 as Meta publishes it, against the same matrices written as float32, computed here by plain loops (spec llama1-3.md 8.3, 8.4).</summary>
public sealed class MetaInt4Tests : IDisposable
{
    private const int Rank = 3;
    private const string Shape = """{"dim": 64, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "vocab_size": 40, "multiple_of": 4, "norm_eps": 1e-5, "rope_theta": 500000.0, "use_scaled_rope": true""";
    private const string Quantized = """, "quantization_args": {"scheme": "int4_weight_int8_dynamic_activation", "group_size": 32}""";
    private const string Adapters = Quantized + """, "lora_args": {"rank": 3, "scale": 2.0}""";
    private const string Spun = """, "quantization_args": {"group_size": 32, "spinquant": true}""";

    private static readonly int[] _ids = [1, 5, 39, 0, 7, 7, 20];

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-int4-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Adapters, true, false, true)]
    [InlineData(Quantized, false, false, false)]
    [InlineData(Spun, false, true, true)]
    public void WeightsAreWhatTheLayersCompute(string settings, bool hasAdapters, bool isSpun, bool isColumn)
    {
        (string low, string full) = Write(settings, hasAdapters, isSpun, isColumn);
        using Checkpoint read = Checkpoint.Open(low), expected = Checkpoint.Open(full);
        Assert.True(read.IsDecoded);
        Assert.False(read.Config.TiedEmbeddings);
        Assert.Equal(8192, read.Config.ContextLength);
        Assert.Equal(new RopeScaling.Llama3(32, 1, 4, 8192), read.Config.RopeScaling);
        foreach ((string name, Shape shape) in expected.Config.Parameters())
        {
            Tensor a = expected.GetTensor(name), b = read.GetTensor(name);
            Assert.Equal(a.Shape, b.Shape);
            for (long row = 0; row < shape.Rows; row++)
            {
                // Sums in another order: both are rounded from float64, so that they differ in a last bit at most.
                float[] wanted = a.Row<float>(row).ToArray(), got = b.Row<float>(row).ToArray();
                for (int i = 0; i < wanted.Length; i++)
                {
                    Assert.True(Math.Abs(wanted[i] - got[i]) <= 1.2e-7 * Math.Max(Math.Abs(wanted[i]), 1e-3), $"{name} {row} {i}: {wanted[i]} {got[i]}");
                }
            }

            read.Release(name, b);
        }

        // The weights differ by a last bit at most, so the logits by rounding.
        using var ops = new CpuOps(2);
        float[] logits = Runner.Whole(expected.Load(), _ids), whole = Runner.Whole(read.Load(), _ids);
        Assert.Equal(whole, Runner.Whole(read.LoadPacked(ops), _ids));
        Assert.All(logits.Zip(whole), static pair => Assert.Equal(pair.First, pair.Second, 2e-6f));
    }

    /// <summary>What is converted is the model as it is read, in any layout.</summary>
    [Theory]
    [InlineData(CheckpointFormat.Safetensors)]
    [InlineData(CheckpointFormat.Gguf)]
    [InlineData(CheckpointFormat.Meta)]
    public void ItConvertsToAPlainModel(CheckpointFormat format)
    {
        string low = Write(Spun, false, isSpun: true, isColumn: true).Low, to = Path.Combine(_folder, format == CheckpointFormat.Gguf ? "plain.gguf" : "plain");
        using Checkpoint read = Checkpoint.Open(low);
        CheckpointConverter.Convert(read, to, new ConversionOptions { Format = format }, cancel: TestContext.Current.CancellationToken);
        using Checkpoint plain = Checkpoint.Open(to);
        Assert.False(plain.IsDecoded);
        Assert.Equal(Runner.Whole(read.Load(), _ids), Runner.Whole(plain.Load(), _ids));
    }

    [Fact]
    public void WithoutTheRotationTheModelIsAnother()
    {
        (string low, string full) = Write(Spun, false, isSpun: true, isColumn: true);
        File.WriteAllText(Path.Combine(low, "params.json"), Shape + Quantized + "}");
        using Checkpoint read = Checkpoint.Open(low), expected = Checkpoint.Open(full);
        float[] a = Runner.Whole(expected.Load(), _ids), b = Runner.Whole(read.Load(), _ids);
        Assert.True(a.Zip(b).Max(static pair => Math.Abs(pair.First - pair.Second)) > 1e-2);
    }

    [Theory]
    [InlineData(""", "quantization_args": {"scheme": "int4"}""", "scheme")]
    [InlineData(""", "quantization_args": {"group_size": 64}, "lora_args": {"scale": 2}""", "tensor layers.0.feed_forward.w2.scales: expected floats [64, 2], got f32 [64, 4]")]
    [InlineData(""", "quantization_args": {"group_size": 0}""", "group_size")]
    [InlineData(Quantized, "lora_args")]
    [InlineData(Quantized + """, "lora_args": {"rank": 3}""", "scale")]
    [InlineData(Spun, "spinquant")]
    [InlineData("", "scales")]
    public void WhatDoesNotFitIsNamed(string settings, string named) => Refused(Write(settings, hasAdapters: true, isSpun: false, isColumn: true).Low, named);

    [Theory]
    [InlineData("layers.1.feed_forward.w1.scales", "tensor layers.1.feed_forward.w1.scales: expected beside layers.1.feed_forward.w1.weight, got none")]
    [InlineData("layers.1.attention.wo.adaptor.B.weight", "tensor layers.1.attention.wo.adaptor.B.weight: expected beside layers.1.attention.wo.adaptor.A.weight, got none")]
    public void WhatIsMissingIsNamed(string without, string named) => Refused(Write(Adapters, hasAdapters: true, isSpun: false, isColumn: true, without).Low, named);

    [Fact]
    public void ARotationOfOtherWidthsIsRefused() => Refused(Write(Spun, false, true, true, ffn: 96).Low, "expected a power of two of columns to rotate, got [64, 96]");

    [Fact]
    public void SettingsOfFloatsAreRefused()
    {
        (_, string full) = Write("", false, false, true);
        File.WriteAllText(Path.Combine(full, "params.json"), Shape + Quantized + "}");
        Refused(full, "quantization_args");
    }

    private static void Refused(string path, string named)
    {
        PunaException e = Assert.ThrowsAny<PunaException>(() => Checkpoint.Open(path).Dispose());
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private (string Low, string Full) Write(string settings, bool hasAdapters, bool isSpun, bool isColumn, string without = "", int ffn = 128)
    {
        var random = new Random(5);
        var tiny = new TinyModel(64, ffn, 2, 4, 2, 16, 40).Randomize(4);
        string full = Path.Combine(_folder, "full");
        tiny.WriteMeta(full, Shape + """, "rope_scaling": {"rope_type": "llama3", "factor": 32, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 8192}}""");
        var stored = new List<StoredTensor>();
        var dense = new List<StoredTensor>();
        using (MetaCheckpoint source = MetaCheckpoint.Open(full))
        {
            foreach (var info in source.Tensors)
            {
                int rows = (int)info.Shape.Rows, columns = (int)info.Shape.Columns;
                if (info.Shape.Rank == 1)
                {
                    float[] values = source.GetTensor(info.Name).Row<float>(0).ToArray();
                    stored.Add(StoredTensor.Floats(info.Name, [columns], values));
                    dense.Add(StoredTensor.Floats(info.Name, [columns], values));
                    continue;
                }

                string stem = info.Name[..^".weight".Length];
                bool isBlock = stem.StartsWith("layers.", StringComparison.Ordinal);
                int groups = isBlock ? columns / 32 : 1, limit = isBlock ? 8 : 128;
                sbyte[] codes = [.. Enumerable.Range(0, rows * columns).Select(_ => (sbyte)random.Next(-limit, limit))];
                float[] scales = [.. Enumerable.Range(0, rows * groups).Select(_ => (float)((0.5 + random.NextDouble()) / limit / Math.Sqrt(columns)))];
                float[] a = Floats(hasAdapters && isBlock ? Rank * columns : 0, 0.1), b = Floats(hasAdapters && isBlock ? rows * Rank : 0, 0.1);
                stored.Add(StoredTensor.Integers(info.Name, [rows, columns], codes));
                stored.Add(StoredTensor.Floats(stem + ".scales", isBlock ? [rows, groups] : isColumn ? [rows, 1] : [rows], scales));
                if (isBlock && !isColumn)
                {
                    stored.Add(StoredTensor.Floats(stem + ".zeros", [rows, groups], new float[rows * groups]));
                }

                if (a.Length > 0)
                {
                    stored.Add(StoredTensor.BFloat16(stem + ".adaptor.A.weight", [Rank, columns], a));
                    stored.Add(StoredTensor.BFloat16(stem + ".adaptor.B.weight", [rows, Rank], b));
                }

                var exact = new double[rows * columns];
                for (int i = 0; i < exact.Length; i++)
                {
                    exact[i] = (float)(codes[i] * (double)scales[(i / columns * groups) + (i % columns * groups / columns)]);
                    for (int r = 0; r < (a.Length > 0 ? Rank : 0); r++)
                    {
                        exact[i] += 2.0 * b[(i / columns * Rank) + r] * a[(r * columns) + (i % columns)];
                    }
                }

                if (isSpun && stem.EndsWith("w2", StringComparison.Ordinal) && BitOperations.IsPow2(columns))
                {
                    exact = Rotated(exact, columns);
                }

                dense.Add(StoredTensor.Floats(info.Name, [rows, columns], [.. exact.Select(static x => (float)x)]));
            }
        }

        string low = Path.Combine(_folder, "low"), parameters = File.ReadAllText(Path.Combine(full, "params.json"));
        using (var writer = new MetaWriter(full, MetaParams.Parse(System.Text.Encoding.UTF8.GetBytes(parameters), "params.json")))
        {
            StoredTensor.WriteAll(writer, dense);
        }

        using (var writer = new MetaWriter(low, MetaParams.Parse(System.Text.Encoding.UTF8.GetBytes(Shape + settings + "}"), "params.json")))
        {
            StoredTensor.WriteAll(writer, [.. stored.Where(t => t.Name != without)]);
        }

        return (low, full);

        float[] Floats(int count, double size) => [.. Enumerable.Range(0, count).Select(_ => StoredTensor.Cut(size * ((2 * random.NextDouble()) - 1)))];
    }

    /// <summary>W H, with H written out element by element.</summary>
    private static double[] Rotated(double[] w, int columns)
    {
        var result = new double[w.Length];
        for (int row = 0; row < w.Length / columns; row++)
        {
            for (int j = 0; j < columns; j++)
            {
                for (int i = 0; i < columns; i++)
                {
                    result[(row * columns) + j] += w[(row * columns) + i] * (BitOperations.PopCount((uint)(i & j)) % 2 == 0 ? 1 : -1) / Math.Sqrt(columns);
                }
            }
        }

        return result;
    }
}
