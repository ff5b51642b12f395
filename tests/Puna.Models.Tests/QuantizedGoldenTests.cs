using System.Text.Json;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Tests.Shared;

namespace Puna.Models.Tests;

/// <summary>Quantised files against weights dequantised and multiplied in float32 by the reference.</summary>
public sealed class QuantizedGoldenTests
{
    public static TheoryData<string> Types =>
        ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q2_k", "q3_k_m", "q4_k_m", "q5_k_m", "q6_k", "iq3_s", "iq4_nl", "iq4_xs", "tq2_0"];

    [Theory]
    [MemberData(nameof(Types))]
    public void LogitsMatchTheDequantisedReference(string type)
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("gguf-quants", "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.Golden("gguf-quants", type + ".gguf"));
        Llama model = checkpoint.Load();
        float[] logits = Runner.Whole(model, io.Ints("input_ids"));
        float[] reference = io.Floats(type + ".reference");
        double kl = MeanKl(reference, logits, model.Config.Vocab);
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllBytes(TestFiles.Golden("gguf-quants", "summary.json")));
        JsonElement peer = summary.RootElement.GetProperty(type);
        double peerKl = peer.GetProperty("llamacpp_mean_kl").GetDouble();
        double peerDifference = peer.GetProperty("llamacpp_max_abs_diff").GetDouble();
        if (type is "f32" or "f16" or "bf16")
        {
            // Multiplied as float32: rounding of sums alone is left, whose divergence may even be negative.
            Assert.InRange(Math.Abs(kl), 0, 1e-7);
            Assert.InRange(GoldenIo.MaxDifference(reference, logits), 0, 2e-5);
        }
        else
        {
            // goldens/README.md allows 1.5 times the peer's divergence. The peer's inputs have 8 bits with a scale per 32 (beside older types) or per 256 (beside the others). Ours have 15 bits
            // beside Q8_0: some 130 times nearer, its square in divergence, of which a tenth is asserted. Elsewhere they have 8 bits with a scale per 16, whose largest is about 0.85 of the largest of
            // 32 and 0.6 of the largest of 256: squared 0.7 and 0.35, and less where a part of the file is multiplied as floats. A kernel that drops a low bit of the codes fails by far. The greatest difference of one logit is no average: for it the allowance itself is asserted.
            (double share, double difference) = type switch
            {
                "q8_0" => (1.0 / 1700, 1.0 / 13),
                "q4_0" or "q4_1" or "q5_0" or "q5_1" => (0.85, 1.5),
                _ => (0.5, 1.5),
            };
            Assert.InRange(Math.Abs(kl), 0, peerKl * share);
            Assert.InRange(GoldenIo.MaxDifference(reference, logits), 0, peerDifference * difference);
        }
    }

    [Theory]
    [InlineData("f32")]
    [InlineData("bf16")]
    [InlineData("f16")]
    [InlineData("q4_0")]
    [InlineData("q8_0")]
    [InlineData("q2_k")]
    [InlineData("q3_k_m")]
    [InlineData("q4_k_m")]
    [InlineData("q5_k_m")]
    [InlineData("iq3_s")]
    [InlineData("tq2_0")]
    public void EveryWayToRunGivesTheSameBits(string type)
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("gguf-quants", "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.Golden("gguf-quants", type + ".gguf"));
        Llama model = checkpoint.Load();
        int[] ids = io.Ints("input_ids");
        float[] whole = Runner.Whole(model, ids);
        using var ops = new Tensors.CpuOps(2);
        Llama packed = model.PackFor(ops);
        Assert.All(packed.Blocks, block => Assert.NotNull(block.FeedForward.W2.Weight.Packed));
        Assert.Equal(whole, Runner.Whole(packed, ids));
        Assert.Equal(whole, Runner.Chunked(packed, ids, 1, threads: 2));
        Assert.Equal(whole, Runner.Chunked(packed, ids, 2, threads: 3));
        Assert.Equal(whole, Runner.Chunked(model, ids, 1, threads: 2));
        Assert.Equal(whole, Runner.Chunked(model, ids, 7));
        Assert.Equal(whole, Runner.Ragged(model, [ids, ids[..9]], [3, 2], 2)[0]);
        foreach (Tensors.DType kv in new[] { Tensors.DType.F16, Tensors.DType.Q8_0 })
        {
            float[] rounded = Runner.Chunked(model, ids, ids.Length, kv: kv);
            Assert.Equal(rounded, Runner.Chunked(model, ids, 1, threads: 2, kv));
            Assert.Equal(rounded, Runner.Chunked(model, ids, 7, kv: kv));
        }
    }

    [Theory]
    [InlineData("f32", Tensors.DType.F32)]
    [InlineData("f16", Tensors.DType.F32)]
    [InlineData("bf16", Tensors.DType.F32)]
    [InlineData("q8_0", Tensors.DType.F16)]
    [InlineData("q4_k_m", Tensors.DType.F16)]
    [InlineData("tq2_0", Tensors.DType.F16)]
    public void TheCacheIsFloat32UnlessWeightsAreQuantisedInBlocks(string type, Tensors.DType expected)
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.Golden("gguf-quants", type + ".gguf"));
        Llama model = checkpoint.Load();
        using Tensors.KvCache cache = model.CreateCache();
        Assert.Equal((expected, expected), (model.CacheType, cache.Type));
        using Tensors.KvCache other = model.CreateCache(Tensors.DType.Q8_0);
        Assert.Equal(Tensors.DType.Q8_0, other.Type);
    }

    /// <summary>Mean over positions of sum p log(p / q).</summary>
    private static double MeanKl(float[] reference, float[] logits, int vocab)
    {
        double total = 0;
        int rows = reference.Length / vocab;
        for (int r = 0; r < rows; r++)
        {
            double[] p = LogSoftmax(reference.AsSpan(r * vocab, vocab));
            double[] q = LogSoftmax(logits.AsSpan(r * vocab, vocab));
            for (int i = 0; i < vocab; i++)
            {
                total += Math.Exp(p[i]) * (p[i] - q[i]);
            }
        }

        return total / rows;
    }

    private static double[] LogSoftmax(ReadOnlySpan<float> logits)
    {
        double top = double.NegativeInfinity;
        foreach (float x in logits)
        {
            top = Math.Max(top, x);
        }

        double sum = 0;
        foreach (float x in logits)
        {
            sum += Math.Exp(x - top);
        }

        double shift = top + Math.Log(sum);
        var result = new double[logits.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = logits[i] - shift;
        }

        return result;
    }
}
