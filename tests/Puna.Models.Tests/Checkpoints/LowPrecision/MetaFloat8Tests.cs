using Puna.Formats.Meta;
using Puna.Models.Checkpoints;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Checkpoints.LowPrecision;

/// <summary>Meta's FP8 files, whose scales are those of each part's rows, against the same values written as float32 (spec llama1-3.md 8.1, llama4.md 9).</summary>
public sealed class MetaFloat8Tests : IDisposable
{
    private const string Parameters = """{"dim": 32, "n_layers": 3, "n_heads": 4, "n_kv_heads": 2, "vocab_size": 40, "multiple_of": 48, "norm_eps": 1e-5, "rope_theta": 500000.0}""";

    private static readonly int[] _ids = [1, 5, 39, 0, 7, 7, 20];

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-meta8-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    public void WeightsAreTheCodesTimesTheScalesOfTheirPart(int parts, bool map)
    {
        (string low, string full) = Write(parts);
        using Checkpoint read = Checkpoint.Open(low, map), expected = Checkpoint.Open(full);
        Assert.True(read.IsDecoded);
        using var ops = new CpuOps(2);
        float[] logits = Runner.Whole(expected.Load(), _ids);
        Assert.Equal(logits, Runner.Whole(read.Load(), _ids));
        Assert.Equal(logits, Runner.Whole(read.LoadPacked(ops), _ids));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ExpertsOfLlama4HaveScalesOfTheirOwn(int parts)
    {
        string low = Path.Combine(_folder, "low4"), full = Path.Combine(_folder, "full4");
        using Checkpoint source = Checkpoint.Open(TestFiles.GoldenModel("llama4-scout"));
        int experts = source.Config.Llama4!.Experts;
        var scales = new List<StoredTensor>[parts];
        MetaLlama4Files.Write(source, low, parts, (tensor, part) => Coded(tensor, part).Codes);
        for (int part = 0; part < parts; part++)
        {
            WriteScales(low, part, scales[part]);
        }

        MetaLlama4Files.Write(source, full, parts, (tensor, part) => Coded(tensor, part).Values);
        using Checkpoint read = Checkpoint.Open(low), expected = Checkpoint.Open(full);
        Assert.Equal(Runner.Whole(expected.Load(), _ids), Runner.Whole(read.Load(), _ids));

        // Tensors of routed experts lie as [experts * in, out]; a scale belongs to an output of an expert. All layers but the last are float8.
        (StoredTensor Codes, StoredTensor Values) Coded(StoredTensor tensor, int part)
        {
            int at = tensor.Name.IndexOf(".experts.", StringComparison.Ordinal);
            if (at < 0 || tensor.Name.StartsWith($"layers.{source.Config.Layers - 1}.", StringComparison.Ordinal))
            {
                return (tensor, tensor);
            }

            int rows = (int)tensor.Shape[0], columns = (int)tensor.Shape[1];
            var random = new Random(HashOf(tensor.Name) + part);
            byte[] codes = Codes(random, rows * columns);
            float[] scale = Scales(random, experts * columns, 64);
            float[] values = [.. codes.Select((code, i) => (float)(Value(code) * scale[(i / columns / (rows / experts) * columns) + (i % columns)]))];
            string matrix = tensor.Name.EndsWith("w_in_eD_F", StringComparison.Ordinal) ? "w1" : tensor.Name.EndsWith("w_out_eF_D", StringComparison.Ordinal) ? "w2" : "w3";
            (scales[part] ??= []).Add(StoredTensor.Floats(tensor.Name[..at] + ".experts." + matrix, [experts, columns], scale));
            return (new StoredTensor(tensor.Name, DType.F8_E4M3, tensor.Shape, codes), StoredTensor.Floats(tensor.Name, tensor.Shape, values));
        }
    }

    [Fact]
    public void MissingScalesAreNamed()
    {
        string low = Write(2).Low;
        File.Delete(Path.Combine(low, "fp8_scales_1.pt"));
        Refused(low, "fp8_scales_1.pt");
        WriteScales(low, 1, [StoredTensor.Floats("1_feed_forward.w2_1", [48], new float[48])]);
        Refused(low, "tensor 1_feed_forward.w2_1: expected floats for the 32 rows of layers.1.feed_forward.w2.weight, got f32 [48]");
        WriteScales(low, 1, [StoredTensor.Floats("1_feed_forward.w2_1", [32], new float[32])]);
        Refused(low, "tensor 1_feed_forward.w1_1: expected the scales of layers.1.feed_forward.w1.weight, got none");
    }

    private static void Refused(string path, string named)
    {
        PunaException e = Assert.ThrowsAny<PunaException>(() => Checkpoint.Open(path).Dispose());
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static double Value(byte code)
    {
        int exponent = code / 8 % 16;
        double magnitude = exponent == 0 ? code % 8 / 8.0 * Math.Pow(2, -6) : (1 + (code % 8 / 8.0)) * Math.Pow(2, exponent - 7);
        return code > 127 ? -magnitude : magnitude;
    }

    private static int HashOf(string name) => name.Aggregate(7, static (hash, c) => unchecked((hash * 31) + c)) & 0xFFFFFF;

    private static byte[] Codes(Random random, int count)
    {
        var codes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            codes[i] = (byte)((random.Next(2) * 128) + random.Next(127)); // not the NaNs
        }

        return codes;
    }

    private static float[] Scales(Random random, int count, int inputs) => [.. Enumerable.Range(0, count).Select(_ => (float)((0.5 + random.NextDouble()) / 448 / Math.Sqrt(inputs)))];

    private static void WriteScales(string folder, int part, IReadOnlyCollection<StoredTensor> scales)
    {
        string alone = Path.Combine(folder, "scales");
        using (var writer = new MetaWriter(alone, MetaParams.Parse(System.Text.Encoding.UTF8.GetBytes(Parameters), "params.json")))
        {
            StoredTensor.WriteAll(writer, scales);
        }

        File.Move(Path.Combine(alone, "consolidated.00.pth"), Path.Combine(folder, $"fp8_scales_{part}.pt"), overwrite: true);
        Directory.Delete(alone, recursive: true);
    }

    /// <summary>Feed-forward matrices of the middle layer as float8.</summary>
    private (string Low, string Full) Write(int parts)
    {
        var random = new Random(12);
        string plain = new TinyModel(32, 48, 3, 4, 2, 8, 40).Randomize(9).WriteMeta(Path.Combine(_folder, "plain"), Parameters);
        var (stored, dense) = (new List<StoredTensor>(), new List<StoredTensor>());
        var scales = Enumerable.Range(0, parts).Select(static _ => new List<StoredTensor>()).ToArray();
        using (MetaCheckpoint source = MetaCheckpoint.Open(plain))
        {
            foreach (var info in source.Tensors)
            {
                Tensor tensor = source.GetTensor(info.Name);
                float[] values = tensor.Storage.Span<float>(tensor.Offset, (int)tensor.Shape.Count).ToArray();
                var whole = StoredTensor.Floats(info.Name, info.Shape.ToArray(), values);
                if (!info.Name.StartsWith("layers.1.feed_forward", StringComparison.Ordinal))
                {
                    stored.Add(whole);
                    dense.Add(whole);
                    continue;
                }

                // A part has some rows of w1 and w3, and some columns of w2.
                int rows = (int)info.Shape.Rows, columns = (int)info.Shape.Columns;
                bool byColumn = info.Name.EndsWith("w2.weight", StringComparison.Ordinal);
                int partRows = byColumn ? rows : rows / parts, partColumns = byColumn ? columns / parts : columns;
                byte[] codes = Codes(random, rows * columns);
                float[][] scale = [.. scales.Select(_ => Scales(random, partRows, columns))];
                for (int i = 0; i < codes.Length; i++)
                {
                    int part = byColumn ? i % columns / partColumns : i / columns / partRows;
                    values[i] = (float)(Value(codes[i]) * scale[part][i / columns % partRows]);
                }

                stored.Add(new StoredTensor(info.Name, DType.F8_E4M3, info.Shape.ToArray(), codes));
                dense.Add(StoredTensor.Floats(info.Name, info.Shape.ToArray(), values));
                for (int part = 0; part < parts; part++)
                {
                    scales[part].Add(StoredTensor.Floats($"1_{info.Name["layers.1.".Length..^".weight".Length]}_{part}", [partRows], scale[part]));
                }
            }
        }

        string low = Path.Combine(_folder, "low"), full = Path.Combine(_folder, "full");
        MetaParams parameters = MetaParams.Parse(System.Text.Encoding.UTF8.GetBytes(Parameters), "params.json");
        using (var writer = new MetaWriter(low, parameters, parts))
        {
            StoredTensor.WriteAll(writer, stored);
        }

        using (var writer = new MetaWriter(full, parameters, parts))
        {
            StoredTensor.WriteAll(writer, dense);
        }

        for (int part = 0; part < parts; part++)
        {
            WriteScales(low, part, scales[part]);
        }

        return (low, full);
    }
}
