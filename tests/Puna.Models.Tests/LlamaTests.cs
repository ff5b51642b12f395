using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Tests;

/// <summary>Random models of shapes no golden has, against the forward pass in double precision.</summary>
public sealed class LlamaTests : IDisposable
{
    /// <summary>The bound of the goldens; float32 against double differs by about 1e-6 here, a forgotten bias by more than 0.01.</summary>
    private const double Tolerance = 2e-5;

    private static readonly int[] Ids = [1, 9, 4, 30, 31, 7, 7, 0, 22];

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-llama-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(4, 2, 8, false, false)]
    [InlineData(4, 4, 8, true, true)]
    [InlineData(6, 3, 12, true, false)]
    [InlineData(6, 2, 10, false, true)]
    [InlineData(5, 1, 16, true, true)]
    [InlineData(1, 1, 2, false, false)]
    public void LogitsAreThoseOfThePlainArithmetic(int heads, int kvHeads, int headDim, bool attentionBias, bool mlpBias)
    {
        TinyModel tiny = new TinyModel(32, 44, 2, heads, kvHeads, headDim, 40) { QkvBias = attentionBias, OutputBias = attentionBias, MlpBias = mlpBias }.Randomize(heads * headDim);
        using Checkpoint checkpoint = Checkpoint.Open(tiny.WriteHuggingFace(_folder));
        Assert.Equal((attentionBias, attentionBias, mlpBias), (checkpoint.Config.QkvBias, checkpoint.Config.AttentionOutputBias, checkpoint.Config.MlpBias));
        Llama model = checkpoint.Load();
        float[] expected = DenseOracle.Logits(tiny, Ids);
        float[] logits = Runner.Whole(model, Ids);
        Assert.InRange(GoldenIo.MaxDifference(expected, logits), 0, Tolerance);
        Assert.Equal(logits, Runner.Chunked(model, Ids, 2));
        // The tolerance means something only where the logits are of ordinary size.
        Assert.InRange(expected.Max(Math.Abs), 0.3, 30);
    }

    [Fact]
    public void EveryBiasCounts()
    {
        TinyModel tiny = new TinyModel(32, 44, 1, 4, 2, 8, 40) { QkvBias = true, OutputBias = true, MlpBias = true }.Randomize(3);
        float[] all = DenseOracle.Logits(tiny, Ids);
        foreach (string name in tiny.Tensors.Keys.Where(n => n.EndsWith(".bias", StringComparison.Ordinal)).ToArray())
        {
            (long[] shape, float[] values) = tiny.Tensors[name];
            tiny.Tensors[name] = (shape, new float[values.Length]);
            // A bias on k is nearly the same number for every key a query sees, but not quite: the rotation comes after it.
            float[] without = DenseOracle.Logits(tiny, Ids);
            Assert.True(GoldenIo.MaxDifference(all, without) > 100 * Tolerance, name);
            using (Checkpoint checkpoint = Checkpoint.Open(tiny.WriteHuggingFace(Path.Combine(_folder, name))))
            {
                Assert.InRange(GoldenIo.MaxDifference(without, Runner.Whole(checkpoint.Load(), Ids)), 0, Tolerance);
            }

            tiny.Tensors[name] = (shape, values);
        }
    }

    [Theory]
    [InlineData("llama", false)]
    [InlineData("llama", true)]
    [InlineData("qwen2", true)]
    public void GgufGivesTheBitsOfTheModelItStandsFor(string architecture, bool bias)
    {
        TinyModel tiny = new TinyModel(32, 44, 2, 4, 2, 12, 40) { QkvBias = bias }.Randomize(11);
        using Checkpoint hf = Checkpoint.Open(tiny.WriteHuggingFace(Path.Combine(_folder, "hf"), bias ? "qwen2" : "mistral", """, "sliding_window": null"""));
        using Checkpoint gguf = Checkpoint.Open(tiny.WriteGguf(Path.Combine(_folder, "model.gguf"), architecture));
        Assert.Equal(architecture == "llama" ? RopeLayout.Interleaved : RopeLayout.HalfSplit, gguf.RopeLayout);
        Assert.Equal(bias, gguf.Config.QkvBias);
        float[] logits = Runner.Whole(hf.Load(), Ids);
        Assert.InRange(GoldenIo.MaxDifference(DenseOracle.Logits(tiny, Ids), logits), 0, Tolerance);
        Assert.Equal(logits, Runner.Whole(gguf.Load(), Ids));
    }

    [Fact]
    public void MetaFilesWithDoubledKeyValueHeadsAreTheSameModel()
    {
        // The 16-part files of Llama 3.1 405B hold every key-value head twice while params.json says 8 (spec llama1-3.md 1.6, 3.1).
        TinyModel tiny = new TinyModel(32, 44, 2, 8, 2, 4, 40).Randomize(17);
        float[] expected = DenseOracle.Logits(tiny, Ids);
        var doubled = tiny with { KvHeads = 4 };
        foreach (string name in doubled.Tensors.Keys.Where(n => n.Contains("k_proj", StringComparison.Ordinal) || n.Contains("v_proj", StringComparison.Ordinal)).ToArray())
        {
            float[][] heads = [.. doubled.Tensors[name].Values.Chunk(4 * 32)];
            doubled.Tensors[name] = ([16, 32], [.. heads.SelectMany(head => head.Concat(head))]);
        }

        string folder = doubled.WriteMeta(Path.Combine(_folder, "meta"), """{"dim": 32, "n_layers": 2, "n_heads": 8, "n_kv_heads": 2, "norm_eps": 1e-5, "multiple_of": 4}""");
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        Assert.Equal(4, checkpoint.Config.KvHeads);
        Assert.InRange(GoldenIo.MaxDifference(expected, Runner.Whole(checkpoint.Load(), Ids)), 0, Tolerance);
    }
}
