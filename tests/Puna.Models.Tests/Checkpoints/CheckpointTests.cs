using System.Runtime.InteropServices;
using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Checkpoints;

public sealed class CheckpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-checkpoint-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("trained-tiny")]
    [InlineData("llama32-tied")]
    [InlineData("meta-llama2-gqa-2x-float32")]
    [InlineData("")]
    public void PackingWeightByWeightGivesTheSameBitsAndGivesUpWhatWasRead(string golden)
    {
        string path = golden.Length == 0 ? TestFiles.TrainedTiny : TestFiles.GoldenModel(golden);
        int[] ids = [1, 9, 4, 30, 31, 7, 7, 0, 22, 3];
        using var ops = new CpuOps(2);
        foreach (bool map in new[] { true, false })
        {
            using Checkpoint checkpoint = Checkpoint.Open(path, map);
            float[] expected = Runner.Whole(checkpoint.Load(), ids);
            var told = new List<string>();
            Llama packed = checkpoint.LoadPacked(ops, (name, weight) => told.Add(name));
            Assert.Equal(expected, Runner.Whole(packed, ids));
            Assert.Equal(checkpoint.Config.Parameters().Select(p => p.Name).Order(), told.Order());

            // Mapped values can be read again; those that were read are gone, which is said and never computed with.
            bool isGone = !map && checkpoint.Format is (CheckpointFormat.Gguf or CheckpointFormat.Safetensors);
            if (isGone)
            {
                Assert.Contains("given up", Assert.Throws<InvalidOperationException>(checkpoint.Load).Message, StringComparison.Ordinal);
            }
            else
            {
                Assert.Equal(expected, Runner.Whole(checkpoint.Load(), ids));
            }
        }
    }

    [Fact]
    public void AMissingModelIsNamed() => Refused(Path.Combine(_folder, "none"), "none");

    [Fact]
    public void AFolderWithoutAModelIsNamed() => Refused(_folder, "config.json");

    [Fact]
    public void AnEmptyFileIsRefused()
    {
        File.WriteAllBytes(Path.Combine(_folder, "empty.gguf"), []);
        Refused(Path.Combine(_folder, "empty.gguf"), "empty.gguf");
    }

    [Fact]
    public void AWrongMagicIsRefused()
    {
        File.WriteAllText(Path.Combine(_folder, "text.gguf"), "This is a text and no model, however long it may be.");
        Refused(Path.Combine(_folder, "text.gguf"), "text.gguf");
    }

    [Fact]
    public void AMissingTensorIsNamed() => Refused(Rewrite(skip: "model.layers.1.mlp.up_proj.weight"), "model.layers.1.mlp.up_proj.weight");

    [Fact]
    public void AForeignTensorIsNamed() => Refused(Rewrite(extra: "model.layers.0.self_attn.q_norm.weight"), "q_norm");

    [Fact]
    public void AWrongShapeIsNamed()
    {
        string path = Rewrite();
        string config = Path.Combine(path, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"intermediate_size\": 176", "\"intermediate_size\": 192", StringComparison.Ordinal));
        Refused(path, "expected [192, 64], got [176, 64]");
    }

    [Fact]
    public void SafetensorsWithoutAConfigAreRefused()
    {
        File.Copy(TestFiles.Golden("llama2-gqa", "model.safetensors"), Path.Combine(_folder, "model.safetensors"));
        Refused(Path.Combine(_folder, "model.safetensors"), "config.json");
    }

    /// <summary>As GGUF files are published: with the settings of the model they were made from. With safetensors there, these count.</summary>
    [Fact]
    public void SettingsBesideAGgufFileAloneDoNotHideIt()
    {
        string gguf = Gguf(_ => { });
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "published")).FullName;
        File.Copy(gguf, Path.Combine(folder, "model-q8_0.gguf"));
        File.Copy(TestFiles.Golden("llama2-gqa", "config.json"), Path.Combine(folder, "config.json"));
        using (Checkpoint checkpoint = Checkpoint.Open(folder))
        {
            Assert.Equal(CheckpointFormat.Gguf, checkpoint.Format);
        }

        File.Copy(TestFiles.Golden("llama2-gqa", "model.safetensors"), Path.Combine(folder, "model.safetensors"));
        using (Checkpoint checkpoint = Checkpoint.Open(folder))
        {
            Assert.Equal(CheckpointFormat.Safetensors, checkpoint.Format);
        }
    }

    [Theory]
    [InlineData("general.architecture", "falcon", "falcon")]
    [InlineData("llama.rope.scaling.type", "longrope", "longrope")]
    [InlineData("llama.expert_count", 8u, "expert_count")]
    [InlineData("llama.rope.dimension_count", 4u, "rope.dimension_count")]
    [InlineData("llama.block_count", 4u, "blk.3.")]
    [InlineData("llama.attention.head_count", 0u, "head")]
    [InlineData("llama.attention.head_count", "8", "head_count")]
    [InlineData("llama.attention.causal", false, "causal")]
    [InlineData("llama.attention.sliding_window", 16u, "sliding_window")]
    [InlineData("llama.context_length", 0u, "context length")]
    public void GgufKeysThatAreNotUnderstoodAreNamed(string key, object value, string named)
    {
        string path = Gguf(metadata =>
        {
            if (key == "llama.rope.scaling.type")
            {
                metadata.Set("llama.rope.scaling.factor", 2f);
            }

            metadata.Set(key, value);
        });
        Refused(path, named);
    }

    [Theory]
    [InlineData("type=linear factor=0", "factor")]
    [InlineData("type=linear factor=-2", "factor")]
    [InlineData("type=linear factor=NaN", "factor")]
    [InlineData("type=linear factor=2 attn_factor=1.5", "attn_factor")]
    [InlineData("attn_factor=1.5", "attn_factor")]
    [InlineData("yarn_attn_factor=0.5", "attn_factor")]
    [InlineData("type=linear factor=2 yarn_ext_factor=1", "yarn_ext_factor")]
    [InlineData("type=yarn factor=4 yarn_ext_factor=0", "yarn_ext_factor")]
    [InlineData("type=yarn factor=4 yarn_ext_factor=0.5", "yarn_ext_factor")]
    [InlineData("type=yarn factor=4 yarn_beta_fast=-1", "beta_fast")]
    [InlineData("type=yarn factor=4 yarn_beta_fast=NaN", "beta_fast")]
    [InlineData("type=yarn factor=4 yarn_beta_slow=0", "beta_slow")]
    [InlineData("type=yarn factor=4 attn_factor=NaN", "attention factor")]
    [InlineData("type=yarn factor=4 attn_factor=2 yarn_attn_factor=2", "yarn_attn_factor")]
    [InlineData("type=yarn factor=4 original_context_length=0", "original context")]
    [InlineData("type=yarn factor=4 yarn_log_multiplier=0.1", "yarn_log_multiplier")]
    [InlineData("freq_base=Infinity", "rope theta")]
    [InlineData("freq_base=NaN", "rope theta")]
    [InlineData("freq_base=0", "rope theta")]
    public void RotaryKeysThatGiveNoAnswerAreNamed(string settings, string named) => Refused(Gguf(metadata => SetScaling(metadata, settings)), named);

    [Theory]
    [InlineData("type=none factor=4", "default")]
    [InlineData("type=linear factor=1", "default")]
    [InlineData("factor=0", "default")]
    [InlineData("attn_factor=1 yarn_ext_factor=-1", "default")]
    [InlineData("factor=4", "linear")]
    [InlineData("type=yarn factor=4 yarn_ext_factor=1 attn_factor=1 yarn_attn_factor=1.2", "yarn")]
    public void RotaryKeysThatAreUnderstoodAreRead(string settings, string kind)
    {
        using Checkpoint checkpoint = Checkpoint.Open(Gguf(metadata => SetScaling(metadata, settings)));
        Assert.Equal(kind, checkpoint.Config.RopeScaling.Name);
        if (checkpoint.Config.RopeScaling is RopeScaling.Yarn yarn)
        {
            Assert.Equal(1.2 * ((0.1 * Math.Log(4)) + 1), yarn.Magnitude, 1e-6);
            Assert.Equal((4, 256, 32, 1), (yarn.Factor, yarn.OriginalContext, yarn.BetaFast, yarn.BetaSlow));
        }
    }

    [Fact]
    public void DivisorsAndScalingKeysDoNotGoTogether()
    {
        foreach (string accepted in new[] { "", "type=none", "type=linear factor=1" })
        {
            using Checkpoint checkpoint = Checkpoint.Open(Gguf(metadata => SetScaling(metadata, accepted), "llama31-scaled"));
            Assert.Equal("divisors", checkpoint.Config.RopeScaling.Name);
        }

        foreach (string refused in new[] { "type=linear factor=4", "factor=4", "type=yarn factor=4" })
        {
            Refused(Gguf(metadata => SetScaling(metadata, refused), "llama31-scaled"), "rope_freqs.weight");
        }
    }

    [Fact]
    public void DivisorsThatAreNoPositiveNumbersAreRefused()
    {
        foreach (float bad in new[] { 0, -1, float.NaN, float.PositiveInfinity })
        {
            Refused(Gguf(_ => { }, "llama31-scaled", divisor: bad), "rope divisor 0");
        }
    }

    [Fact]
    public void AbsurdSizesAreRefusedBeforeAnythingIsAllocated()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused(Gguf(metadata => metadata.Set("llama.block_count", 10000u)), "blk.3.");
        Refused(Gguf(metadata => metadata.Set("llama.block_count", uint.MaxValue)), "block_count");
        Refused(Gguf(metadata => metadata.Set("llama.feed_forward_length", 1u << 24)), "[16777216, 64]");
        Refused(Gguf(metadata => metadata.Set("llama.embedding_length", 1u << 20)), "1048576]");
        Refused(Gguf(metadata => metadata.Set("llama.context_length", uint.MaxValue)), "context_length");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100 << 20);
    }

    [Theory]
    [InlineData("general.architecture")]
    [InlineData("llama.embedding_length")]
    [InlineData("llama.attention.layer_norm_rms_epsilon")]
    public void MissingGgufKeysAreNamed(string key) => Refused(Gguf(metadata => metadata.Remove(key)), key);

    [Fact]
    public void HeadCountsPerLayerAreReadWhereTheyAreEqual()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Gguf(metadata => metadata.Set("llama.attention.head_count_kv", new[] { 2, 2, 2 })));
        Assert.Equal(2, checkpoint.Config.KvHeads);
        Refused(Gguf(metadata => metadata.Set("llama.attention.head_count_kv", new[] { 2, 1, 2 })), "head_count_kv");
    }

    [Fact]
    public void AttentionBiasesAreUsed()
    {
        // A bias on v alone shifts every attention output by wo times the bias, because the weights of a softmax sum to one: the logits must differ from those
        // without, and agree between the two row orders.
        string biased = Rewrite(biases: true);
        string gguf = Path.Combine(_folder, "biased.gguf");
        using (Checkpoint source = Checkpoint.Open(biased))
        {
            CheckpointConverter.Convert(source, gguf, new ConversionOptions { Format = CheckpointFormat.Gguf }, cancel: TestContext.Current.CancellationToken);
        }

        int[] ids = [1, 9, 4, 200, 31, 7];
        using Checkpoint plain = Checkpoint.Open(TestFiles.GoldenModel("llama2-gqa"));
        using Checkpoint a = Checkpoint.Open(biased);
        using Checkpoint b = Checkpoint.Open(gguf);
        Assert.True(a.Config.QkvBias && b.Config.QkvBias);
        float[] logits = Runner.Whole(a.Load(), ids);
        Assert.Equal(logits, Runner.Whole(b.Load(), ids));
        Assert.True(GoldenIo.MaxDifference(Runner.Whole(plain.Load(), ids), logits) > 0.01);
    }

    [Fact]
    public void ContextOverflowIsAnError()
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama2-gqa"));
        Llama model = Llama.Build(checkpoint.Config with { ContextLength = 5 }, checkpoint.RopeLayout, name => new Weight(name, checkpoint.GetTensor(name)));
        PunaException e = Assert.Throws<PunaException>(() => Runner.Whole(model, [1, 2, 3, 4, 5, 6]));
        Assert.Contains("expected at most 5 tokens, got 6", e.Message, StringComparison.Ordinal);
        Assert.Equal(5 * 320, Runner.Whole(model, [1, 2, 3, 4, 5]).Length);
    }

    private static void Refused(string path, string named)
    {
        PunaException e = Assert.ThrowsAny<PunaException>(() => Checkpoint.Open(path).Dispose());
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    /// <summary>The golden model written anew, with something changed.</summary>
    private string Rewrite(string? skip = null, string? extra = null, bool biases = false)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "model")).FullName;
        string config = File.ReadAllText(TestFiles.Golden("llama2-gqa", "config.json"));
        File.WriteAllText(
            Path.Combine(folder, "config.json"),
            biases ? config.Replace("\"model_type\": \"llama\"", "\"model_type\": \"qwen2\"", StringComparison.Ordinal) : config);
        using SafetensorsFile source = SafetensorsFile.Open(TestFiles.Golden("llama2-gqa", "model.safetensors"));
        using var writer = new SafetensorsWriter(Path.Combine(folder, "model.safetensors"));
        var added = new List<string>();
        if (extra is not null)
        {
            added.Add(extra);
        }

        foreach (TensorInfo info in source.Tensors.Where(t => t.Name != skip))
        {
            writer.Declare(info.Name, info.DType, info.Shape);
            if (biases && (info.Name.Contains("q_proj", StringComparison.Ordinal) || info.Name.Contains("k_proj", StringComparison.Ordinal) || info.Name.Contains("v_proj", StringComparison.Ordinal)))
            {
                added.Add(info.Name.Replace("weight", "bias", StringComparison.Ordinal) + $":{info.Shape.Rows}");
            }
        }

        foreach (string name in added)
        {
            writer.Declare(name.Split(':')[0], DType.F32, new Shape(name.Contains(':', StringComparison.Ordinal) ? int.Parse(name.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture) : 4));
        }

        writer.Begin();
        while (writer.Current is { } tensor)
        {
            if (source.TryGetInfo(tensor.Name, out _))
            {
                writer.WriteTensor(source.GetTensor(tensor.Name));
            }
            else
            {
                float[] values = [.. Enumerable.Range(0, (int)tensor.Shape.Count).Select(i => 0.1f + (0.01f * (i % 7)))];
                writer.Write(MemoryMarshal.AsBytes<float>(values));
            }
        }

        writer.Complete();
        return folder;
    }

    /// <summary>Sets keys below <c>llama.rope.scaling.</c>, and the base.</summary>
    private static void SetScaling(GgufMetadata metadata, string settings)
    {
        foreach (string[] pair in settings.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(s => s.Split('=')))
        {
            object value = pair[0] == "type" ? pair[1]
                : pair[0] == "original_context_length" ? (object)uint.Parse(pair[1], System.Globalization.CultureInfo.InvariantCulture)
                : float.Parse(pair[1], System.Globalization.CultureInfo.InvariantCulture);
            metadata.Set(pair[0] == "freq_base" ? "llama.rope.freq_base" : "llama.rope.scaling." + pair[0], value);
        }
    }

    /// <summary>A golden model as GGUF, with metadata changed, and the first divisor of its frequencies.</summary>
    private string Gguf(Action<GgufMetadata> change, string model = "llama2-gqa", float? divisor = null)
    {
        string path = Path.Combine(_folder, "plain.gguf");
        using (Checkpoint golden = Checkpoint.Open(TestFiles.GoldenModel(model)))
        {
            CheckpointConverter.Convert(golden, path, new ConversionOptions { Format = CheckpointFormat.Gguf }, cancel: TestContext.Current.CancellationToken);
        }

        string changed = Path.Combine(_folder, "changed.gguf");
        using GgufFile source = GgufFile.Open(path);
        change(source.Metadata);
        using var writer = new GgufWriter(changed, source.Metadata);
        foreach (TensorInfo info in source.Tensors)
        {
            writer.Declare(info.Name, info.DType, info.Shape);
        }

        writer.Begin();
        while (writer.Current is { } tensor)
        {
            if (divisor is float bad && tensor.Name == "rope_freqs.weight")
            {
                float[] values = source.GetTensor(tensor.Name).Row<float>(0).ToArray();
                values[0] = bad;
                writer.Write(MemoryMarshal.AsBytes<float>(values));
            }
            else
            {
                writer.WriteTensor(source.GetTensor(tensor.Name));
            }
        }

        writer.Complete();
        return changed;
    }
}
