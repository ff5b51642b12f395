using System.Text.Json;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Packing;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Checkpoints.LowPrecision;

/// <summary>Checkpoints in float8 against the same values written as float32, decoded here by the definition of the format.</summary>
public sealed class HuggingFaceFloat8Tests : IDisposable
{
    // As published: Llama 3.1 405B, Llama 4 Maverick.
    private const string Fbgemm = """, "quantization_config": {"activation_scale_ub": 1200.0, "modules_to_not_convert": ["lm_head", "model.layers.0.mlp.down_proj"], "quant_method": "fbgemm_fp8"}""";
    private const string Compressed = """
        , "quantization_config": {"quant_method": "compressed-tensors", "format": "float-quantized", "ignore": ["lm_head"], "kv_cache_scheme": null, "quantization_status": "compressed",
        "config_groups": {"group_0": {"targets": ["Linear"], "input_activations": {"dynamic": true, "num_bits": 8, "strategy": "token", "symmetric": true, "type": "float"},
        "weights": {"dynamic": false, "num_bits": 8, "strategy": "channel", "symmetric": true, "type": "float"}}}}
        """;

    private static readonly int[] _ids = [1, 5, 39, 0, 7, 7, 20];

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-float8-").FullName;
    private readonly TinyModel _tiny = new TinyModel(32, 48, 2, 4, 2, 8, 40).Randomize(3);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("fbgemm", "row column", true)]
    [InlineData("fbgemm", "row", false)]
    [InlineData("compressed", "bf16 column", true)]
    [InlineData("compressed", "matrix", true)]
    public void WeightsAreTheCodesTimesTheScales(string method, string scales, bool map)
    {
        (string low, string full) = Write(method == "fbgemm" ? Fbgemm : Compressed, scales);
        using Checkpoint read = Checkpoint.Open(low, map), expected = Checkpoint.Open(full);
        Assert.True(read.IsDecoded);
        Assert.Equal(DType.F8_E4M3, read.File.Tensors.Single(static t => t.Name == "model.layers.1.mlp.up_proj.weight").DType);

        // Codes have four bits, so that a product is rounded once in either way of computing it: the same bits.
        using var ops = new CpuOps(2);
        float[] logits = Runner.Whole(expected.Load(), _ids);
        Assert.Equal(logits, Runner.Whole(read.Load(), _ids));
        Assert.Equal(logits, Runner.Whole(read.LoadPacked(ops), _ids));
    }

    /// <summary>Converted, the weights are plain, and the settings say nothing else.</summary>
    [Theory]
    [InlineData("fbgemm", "row column", null, "float32")]
    [InlineData("compressed", "matrix", FileType.BF16, "bfloat16")]
    public void WhatIsConvertedIsPlain(string method, string scales, FileType? type, string named)
    {
        (string low, string full) = Write((method == "fbgemm" ? Fbgemm : Compressed) + """, "torch_dtype": "float16" """, scales);
        string plain = Path.Combine(_folder, "plain");
        using (Checkpoint source = Checkpoint.Open(low))
        {
            CheckpointConverter.Convert(source, plain, new ConversionOptions { Format = CheckpointFormat.Safetensors, Type = type }, cancel: TestContext.Current.CancellationToken);
        }

        using (JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(plain, "config.json"))))
        {
            Assert.False(config.RootElement.TryGetProperty("quantization_config", out _));
            Assert.Equal(named, config.RootElement.GetProperty("torch_dtype").GetString());
        }

        using Checkpoint read = Checkpoint.Open(plain), expected = Checkpoint.Open(full);
        Assert.False(read.IsDecoded);
        if (type is null)
        {
            Assert.Equal(Runner.Whole(expected.Load(), _ids), Runner.Whole(read.Load(), _ids));
        }
    }

    /// <summary>Llama 4 Maverick: routed experts alone are float8, each in matrices of its own, all else stays.</summary>
    [Fact]
    public void ExpertsOfLlama4AreMatricesOfTheirOwn()
    {
        string golden = TestFiles.GoldenModel("llama4-maverick"), low = Path.Combine(_folder, "low4"), full = Path.Combine(_folder, "full4");
        var (stored, dense) = (new List<StoredTensor>(), new List<StoredTensor>());
        using (Checkpoint source = Checkpoint.Open(golden))
        {
            foreach ((string name, Shape shape) in source.Config.Parameters())
            {
                Tensor tensor = source.GetTensor(name);
                float[] values = new float[shape.Count];
                for (int row = 0; row < shape.Rows; row++)
                {
                    tensor.Row<float>(row).CopyTo(values.AsSpan(row * (int)shape.Columns));
                }

                var whole = StoredTensor.Floats(source.NameOf(name), shape.ToArray(), values);
                if (!name.Contains(".experts.", StringComparison.Ordinal))
                {
                    stored.Add(whole);
                    dense.Add(whole);
                    continue;
                }

                var random = new Random(values.Length + stored.Count);
                byte[] codes = [.. values.Select(_ => (byte)((random.Next(2) * 128) + random.Next(127)))];
                float[] scale = [.. Enumerable.Range(0, (int)shape[0]).Select(_ => StoredTensor.Cut((0.5 + random.NextDouble()) / 448 / Math.Sqrt(shape[1])))];
                stored.Add(new StoredTensor(whole.Name, DType.F8_E4M3, whole.Shape, codes));
                stored.Add(StoredTensor.BFloat16(whole.Name + "_scale", [shape[0], 1], scale));
                dense.Add(StoredTensor.Floats(whole.Name, whole.Shape, [.. codes.Select((code, i) => (float)(Value(code) * scale[i / (int)shape[1]]))]));
            }
        }

        foreach ((string folder, List<StoredTensor> tensors) in new[] { (low, stored), (full, dense) })
        {
            Directory.CreateDirectory(folder);
            string config = File.ReadAllText(Path.Combine(golden, "config.json")).Trim();
            File.WriteAllText(Path.Combine(folder, "config.json"), folder == low ? config[..^1] + Compressed + "}" : config);
            using var writer = new SafetensorsWriter(Path.Combine(folder, "model.safetensors"));
            StoredTensor.WriteAll(writer, tensors);
        }

        using Checkpoint read = Checkpoint.Open(low), expected = Checkpoint.Open(full);
        using var ops = new CpuOps(2);
        float[] logits = Runner.Whole(expected.Load(), _ids);
        Assert.Equal(logits, Runner.Whole(read.Load(), _ids));
        Assert.Equal(logits, Runner.Whole(read.LoadPacked(ops), _ids));
    }

    [Fact]
    public void SettingsOfActivationsAndOfTheCacheArePassedOver()
    {
        (string low, string full) = Write(Fbgemm, "row column", more:
        [
            StoredTensor.Floats("model.layers.0.mlp.up_proj.input_scale_ub", [1], [1200]), StoredTensor.Floats("model.layers.0.mlp.up_proj.input_scale", [1], [0.5f]),
            StoredTensor.Floats("model.layers.1.self_attn.k_scale", [1], [2]), StoredTensor.Floats("model.layers.1.self_attn.v_scale", [1], [2]),
        ]);
        using Checkpoint read = Checkpoint.Open(low), expected = Checkpoint.Open(full);
        Assert.Equal(Runner.Whole(expected.Load(), _ids), Runner.Whole(read.Load(), _ids));
    }

    [Fact]
    public void DecodedWeightsNeverMeetThePackCache()
    {
        (string low, _) = Write(Fbgemm, "row column");
        using var ops = new CpuOps(2);
        using Checkpoint read = Checkpoint.Open(low);
        var cache = new PackCache(Path.Combine(_folder, "cache"));
        Assert.Equal(Runner.Whole(read.Load(), _ids), Runner.Whole(cache.Load(read, ops, TestContext.Current.CancellationToken), _ids));
        Assert.False(Directory.Exists(cache.Folder));
    }

    [Fact]
    public void AMissingScaleIsNamed() => Refused(Write(Fbgemm, "none").Low, "tensor model.layers.0.mlp.down_proj.weight_scale: expected the scales of model.layers.0.mlp.down_proj.weight, got none");

    [Fact]
    public void ScalesOfAnotherShapeAreRefused() => Refused(Write(Fbgemm, "transposed").Low, "expected floats for the 32 rows of model.layers.0.mlp.down_proj.weight, got f32 [1, 32]");

    [Theory]
    [InlineData("float-quantized", "pack-quantized", "quantization_config.format")]
    [InlineData("\"channel\"", "\"block\"", "quantization_config.config_groups.group_0.weights.strategy")]
    [InlineData("\"symmetric\": true, \"type\": \"float\"}}}}", "\"symmetric\": false, \"type\": \"float\"}}}}", "weights.symmetric")]
    [InlineData("\"symmetric\": true, \"type\": \"float\"}}}}", "\"symmetric\": true, \"type\": \"int\"}}}}", "weights.type")]
    [InlineData("\"compressed-tensors\"", "\"gptq\"", "quantization_config.quant_method")]
    public void OtherSettingsAreNamed(string from, string to, string named) => Refused(Write(Compressed.Replace(from, to, StringComparison.Ordinal), "row column").Low, named);

    [Fact]
    public void CodesThatNoSettingSpeaksOfAreRefused() => Refused(Write("", "row column").Low, "weight_scale");

    private static void Refused(string path, string named)
    {
        PunaException e = Assert.ThrowsAny<PunaException>(() => Checkpoint.Open(path).Dispose());
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    /// <summary>The value of a code, from the words of the definition.</summary>
    private static double Value(byte code)
    {
        int exponent = code / 8 % 16;
        double magnitude = exponent == 0 ? code % 8 / 8.0 * Math.Pow(2, -6) : (1 + (code % 8 / 8.0)) * Math.Pow(2, exponent - 7);
        return code > 127 ? -magnitude : magnitude;
    }

    private (string Low, string Full) Write(string settings, string scales, IReadOnlyList<StoredTensor>? more = null)
    {
        var random = new Random(11);
        var stored = new List<StoredTensor>(more ?? []);
        foreach (string name in _tiny.Tensors.Keys.ToArray())
        {
            (long[] shape, float[] values) = _tiny.Tensors[name];
            if (shape.Length == 1 || name.Contains("embed", StringComparison.Ordinal) || name.Contains("lm_head", StringComparison.Ordinal))
            {
                stored.Add(StoredTensor.Floats(name, shape, values));
                continue;
            }

            bool isOne = scales == "matrix";
            int rows = (int)shape[0], columns = (int)shape[1];
            float[] scale = [.. Enumerable.Range(0, isOne ? 1 : rows).Select(_ => (float)((0.5 + random.NextDouble()) / 448 / Math.Sqrt(columns)))];
            scale = scales.StartsWith("bf16", StringComparison.Ordinal) ? [.. scale.Select(static x => StoredTensor.Cut(x))] : scale;
            var codes = new byte[rows * columns];
            for (int i = 0; i < codes.Length; i++)
            {
                do
                {
                    codes[i] = (byte)random.Next(256);
                }
                while (codes[i] % 128 == 127); // NaN

                values[i] = (float)(Value(codes[i]) * scale[isOne ? 0 : i / columns]);
            }

            stored.Add(new StoredTensor(name, DType.F8_E4M3, shape, codes));
            if (scales != "none")
            {
                long[] size = scales switch { "matrix" => [1], "row" => [rows], "transposed" => [1, rows], _ => [rows, 1] };
                stored.Add(scales.StartsWith("bf16", StringComparison.Ordinal) ? StoredTensor.BFloat16(name + "_scale", size, scale) : StoredTensor.Floats(name + "_scale", size, scale));
            }
        }

        string low = Path.Combine(_folder, "low"), full = Path.Combine(_folder, "full");
        _tiny.WriteHuggingFace(full);
        _tiny.WriteHuggingFace(low, more: settings);
        using var writer = new SafetensorsWriter(Path.Combine(low, "model.safetensors"));
        StoredTensor.WriteAll(writer, stored);
        return (low, full);
    }
}
