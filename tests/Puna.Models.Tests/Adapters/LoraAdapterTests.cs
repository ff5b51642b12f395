using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Formats.Safetensors;
using Puna.Models.Adapters;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Adapters;

/// <summary>Adapters that peft saved, with the logits it computed; the same in every format, at load and merged.</summary>
public sealed class LoraAdapterTests : IDisposable
{
    /// <summary>goldens/README.md: float32 against float32.</summary>
    private const double Tolerance = 2e-5;

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-adapter-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("lora", 21)]
    [InlineData("rslora", 6)]
    [InlineData("dora", 6)]
    public void LogitsMatchInEveryFormat(string name, int changed)
    {
        string adapter = TestFiles.Golden("post-training", name);
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(adapter, "io.safetensors"));
        string folder = TestFiles.GoldenModel("llama2-gqa");
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        float[] plain = Runner.Whole(checkpoint.Load(), io.Ints("input_ids"));
        checkpoint.Adapt(adapter);
        Assert.Equal(changed, checkpoint.Adapter!.Names.Count);
        float[] adapted = Runner.Whole(checkpoint.Load(), io.Ints("input_ids"));
        Assert.InRange(GoldenIo.MaxDifference(io.Floats("logits"), adapted), 0, Tolerance);
        Assert.True(GoldenIo.MaxDifference(io.Floats("logits"), plain) > 1e-3, "the adapter changes nothing");

        // In GGUF's order of rows the adapter's rows are another.
        string file = Path.Combine(_folder, "base.gguf");
        using (Checkpoint source = Checkpoint.Open(folder))
        {
            CheckpointConverter.Convert(source, file, new ConversionOptions { Format = CheckpointFormat.Gguf }, cancel: TestContext.Current.CancellationToken);
        }

        using Checkpoint gguf = Checkpoint.Open(file);
        gguf.Adapt(adapter);
        Assert.Equal(adapted, Runner.Whole(gguf.Load(), io.Ints("input_ids")));

        // Merged for good.
        string merged = Path.Combine(_folder, "merged");
        CheckpointConverter.Convert(checkpoint, merged, new ConversionOptions { Format = CheckpointFormat.Safetensors }, cancel: TestContext.Current.CancellationToken);
        using Checkpoint after = Checkpoint.Open(merged);
        Assert.Equal(adapted, Runner.Whole(after.Load(), io.Ints("input_ids")));
    }

    [Theory]
    [InlineData(16f, 4f)]
    [InlineData(0f, 1f)]
    public void AnAdapterInGgufIsTheSame(float alpha, float scale)
    {
        string folder = TestFiles.GoldenModel("llama2-gqa");
        string path = Write("adapter.gguf", alpha, 1);
        using Checkpoint expected = Checkpoint.Open(folder);
        expected.Adapt(Peft("lora", settings => settings["lora_alpha"] = scale * 4));
        using Checkpoint found = Checkpoint.Open(folder);
        found.Adapt(path);
        Assert.Equal(expected.Adapter!.Names.Order(StringComparer.Ordinal), found.Adapter!.Names.Order(StringComparer.Ordinal));
        int[] ids = [1, 5, 9, 200];
        Assert.Equal(Runner.Whole(expected.Load(), ids), Runner.Whole(found.Load(), ids));
    }

    [Fact]
    public void AnEmbeddingIsAdapted()
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama2-gqa"));
        LlamaConfig config = checkpoint.Config;
        float[] a = [.. Enumerable.Range(0, 2 * config.Vocab).Select(static i => (i % 13) * 0.01f)];
        float[] b = [.. Enumerable.Range(0, config.Hidden * 2).Select(static i => (i % 7) * 0.1f)];
        string folder = Path.Combine(_folder, "embedding");
        using (var writer = new SafetensorsWriter(Path.Combine(folder, "adapter_model.safetensors"), makeFolder: true))
        {
            writer.Attach(Path.Combine(folder, "adapter_config.json"), """{"peft_type":"LORA","r":2,"lora_alpha":3}"""u8.ToArray());
            writer.Declare("base_model.model.model.embed_tokens.lora_embedding_A", DType.F32, new Shape(2, config.Vocab));
            writer.Declare("base_model.model.model.embed_tokens.lora_embedding_B", DType.F32, new Shape(config.Hidden, 2));
            writer.Begin();
            writer.Write(MemoryMarshal.AsBytes<float>(a));
            writer.Write(MemoryMarshal.AsBytes<float>(b));
            writer.Complete();
        }

        float before = checkpoint.GetTensor("tok_embeddings.weight").Row<float>(17)[5];
        checkpoint.Adapt(folder);
        float after = checkpoint.GetTensor("tok_embeddings.weight").Row<float>(17)[5];

        // W[token, column] + alpha / r * sum over r of B[column, r] A[r, token].
        Assert.Equal(before + (1.5 * ((b[10] * a[17]) + (b[11] * a[config.Vocab + 17]))), after, 1e-6);
    }

    [Fact]
    public void PatternsOverrideRankAndAlpha()
    {
        string adapter = Peft("rslora", static settings =>
        {
            settings["r"] = 8;
            settings["lora_alpha"] = 99;
            settings["rank_pattern"] = new JsonObject { ["self_attn.[qv]_proj"] = 4 };
            settings["alpha_pattern"] = new JsonObject { ["k_proj"] = 1, ["q_proj|v_proj"] = 16 };
        });
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("post-training", "rslora", "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama2-gqa"));
        checkpoint.Adapt(adapter);
        Assert.InRange(GoldenIo.MaxDifference(io.Floats("logits"), Runner.Whole(checkpoint.Load(), io.Ints("input_ids"))), 0, Tolerance);
    }

    [Theory]
    [InlineData("peft_type", "\"LOHA\"", "setting peft_type: expected LORA, got \"LOHA\"")]
    [InlineData("bias", "\"all\"", "setting bias: expected none, got \"all\"")]
    [InlineData("fan_in_fan_out", "true", "setting fan_in_fan_out: expected false, got true")]
    [InlineData("r", "8", "expected the rank 8 of adapter_config.json, got 4")]
    [InlineData("lora_alpha", "null", "setting lora_alpha: expected a number")]
    [InlineData("lora_alpha", "1e300", "adapter scale of layers.0.attention.w")]
    [InlineData("layer_replication", "[[0,1]]", "setting layer_replication: expected none, got [[0,1]]")]
    [InlineData("alora_invocation_tokens", "[1]", "setting alora_invocation_tokens: expected none, got [1]")]
    [InlineData("use_dora", "true", "lora_magnitude_vector: expected beside the other one")]
    [InlineData("rank_pattern", "{\"(\":3}", "expected a regular expression")]
    public void RefusesWhatItDoesNotUnderstand(string key, string value, string message)
    {
        string adapter = Peft("rslora", settings => settings[key] = JsonNode.Parse(value));
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama2-gqa"));
        Assert.Contains(message, Assert.ThrowsAny<PunaException>(() => checkpoint.Adapt(adapter)).Message, StringComparison.Ordinal);
        Assert.Null(checkpoint.Adapter);
    }

    [Fact]
    public void RefusesAnAdapterOfAnotherModel()
    {
        using Checkpoint other = Checkpoint.Open(TestFiles.GoldenModel("llama32-tied"));
        Assert.Contains("expected", Assert.Throws<FileFormatException>(() => other.Adapt(TestFiles.Golden("post-training", "lora"))).Message, StringComparison.Ordinal);
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama2-gqa"));
        Assert.Contains("nothing of that name", Assert.Throws<PunaException>(() => checkpoint.Adapt(Path.Combine(_folder, "none"))).Message, StringComparison.Ordinal);
        Assert.Contains("layers", Assert.Throws<FileFormatException>(() => checkpoint.Adapt(Write("deep.gguf", 1, 100))).Message.Replace("blk", "layers", StringComparison.Ordinal), StringComparison.Ordinal);
        checkpoint.Adapt(TestFiles.Golden("post-training", "lora"));
        Assert.Contains("expected one adapter", Assert.Throws<PunaException>(() => checkpoint.Adapt(TestFiles.Golden("post-training", "dora"))).Message, StringComparison.Ordinal);
    }

    /// <summary>A copy of a golden adapter with other settings.</summary>
    private string Peft(string name, Action<JsonObject> change)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        File.Copy(TestFiles.Golden("post-training", name, "adapter_model.safetensors"), Path.Combine(folder, "adapter_model.safetensors"), overwrite: true);
        JsonObject settings = JsonNode.Parse(File.ReadAllText(TestFiles.Golden("post-training", name, "adapter_config.json")))!.AsObject();
        change(settings);
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), settings.ToJsonString());
        return folder;
    }

    /// <summary>The golden LoRA as llama.cpp's converter would write it: other names, rows of q and k interleaved.</summary>
    private string Write(string file, float alpha, int layerStep)
    {
        string path = Path.Combine(_folder, file);
        var metadata = new GgufMetadata();
        metadata.Set("general.architecture", "llama");
        metadata.Set("general.type", "adapter");
        metadata.Set("adapter.type", "lora");
        metadata.Set("adapter.lora.alpha", alpha);
        using SafetensorsFile source = SafetensorsFile.Open(TestFiles.Golden("post-training", "lora", "adapter_model.safetensors"));
        using var writer = new GgufWriter(path, metadata);
        foreach (TensorInfo info in source.Tensors)
        {
            writer.Declare(Name(info.Name), DType.F32, info.Shape);
        }

        writer.Begin();
        foreach (TensorInfo info in source.Tensors)
        {
            Tensor tensor = source.GetTensor(info.Name);
            bool turned = info.Name.Contains("lora_B", StringComparison.Ordinal) && (info.Name.Contains("q_proj", StringComparison.Ordinal) || info.Name.Contains("k_proj", StringComparison.Ordinal));
            for (long row = 0; row < tensor.Rows; row++)
            {
                // llama2-gqa has heads of 8 rows; GGUF's row 2i is Hugging Face's row i, and 2i + 1 its row i + 4.
                long from = turned ? (row / 8 * 8) + (row % 8 / 2) + (row % 2 * 4) : row;
                writer.Write(MemoryMarshal.AsBytes(tensor.Row<float>(from)));
            }
        }

        writer.Complete();
        return path;

        string Name(string peft)
        {
            string[] parts = peft.Split('.');
            string module = parts[6] switch { "q_proj" => "attn_q", "k_proj" => "attn_k", "v_proj" => "attn_v", "o_proj" => "attn_output", "gate_proj" => "ffn_gate", "up_proj" => "ffn_up", _ => "ffn_down" };
            return $"blk.{int.Parse(parts[4], System.Globalization.CultureInfo.InvariantCulture) * layerStep}.{module}.weight.{(parts[7] == "lora_A" ? "lora_a" : "lora_b")}";
        }
    }
}
