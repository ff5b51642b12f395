using Puna.Models.Checkpoints;
using Puna.Tensors;
using Puna.Tensors.Kernels.Cpu;

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
        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            Assert.Equal(logits, Runner.Whole(model, Ids, path: path));
        }

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
        // Heads of hidden / heads, because Meta's settings know no others.
        TinyModel tiny = new TinyModel(48, 64, 2, 4, 2, 12, 40) { QkvBias = bias }.Randomize(11);
        using Checkpoint hf = Checkpoint.Open(tiny.WriteHuggingFace(Path.Combine(_folder, "hf"), bias ? "qwen2" : "mistral", """, "sliding_window": null"""));
        using Checkpoint gguf = Checkpoint.Open(tiny.WriteGguf(Path.Combine(_folder, "model.gguf"), architecture));
        Assert.Equal(architecture == "llama" ? RopeLayout.Interleaved : RopeLayout.HalfSplit, gguf.RopeLayout);
        Assert.Equal(bias, gguf.Config.QkvBias);
        float[] logits = Runner.Whole(hf.Load(), Ids);
        Assert.InRange(GoldenIo.MaxDifference(DenseOracle.Logits(tiny, Ids), logits), 0, Tolerance);
        Assert.Equal(logits, Runner.Whole(gguf.Load(), Ids));
        if (!bias)
        {
            using Checkpoint meta = Checkpoint.Open(tiny.WriteMeta(
                Path.Combine(_folder, "meta"), """{"dim": 48, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "norm_eps": 1e-5, "multiple_of": 64}"""));
            Assert.Equal(logits, Runner.Whole(meta.Load(), Ids));
        }
    }

    [Fact]
    public void ATiedOutputIsTheEmbedding()
    {
        TinyModel tiny = new TinyModel(32, 44, 2, 4, 1, 12, 40).Randomize(5);
        tiny.Tensors.Remove("lm_head.weight");
        using Checkpoint checkpoint = Checkpoint.Open(tiny.WriteHuggingFace(_folder, more: """, "tie_word_embeddings": true"""));
        Llama model = checkpoint.Load();
        Assert.Same(model.Embedding, model.Output.Weight);
        Assert.InRange(GoldenIo.MaxDifference(DenseOracle.Logits(tiny, Ids), Runner.Whole(model, Ids)), 0, Tolerance);
    }

    [Fact]
    public void ALongTextGivesTheSameBitsInChunksAndBesideOthers()
    {
        TinyModel tiny = new TinyModel(16, 20, 2, 2, 1, 8, 24) { Context = 4200 }.Randomize(6);
        using Checkpoint checkpoint = Checkpoint.Open(tiny.WriteHuggingFace(_folder));
        Llama model = checkpoint.Load();
        int[] ids = [.. Enumerable.Range(0, 4200).Select(i => i * i % 23)];
        float[] whole = Runner.Whole(model, ids);
        Assert.Equal(whole, Runner.Chunked(model, ids, 500, threads: 2));
        float[][] ragged = Runner.Ragged(model, [ids, ids[..100], ids[..3000]], [701, 1, 512], 2);
        Assert.Equal(whole, ragged[0]);
        Assert.Equal(whole[..ragged[1].Length], ragged[1]);
        Assert.Equal(whole[..ragged[2].Length], ragged[2]);
    }

    [Fact]
    public void BatchesThatDoNotFitAreRefused()
    {
        TinyModel tiny = new TinyModel(16, 20, 1, 2, 1, 8, 24) { Context = 8 }.Randomize(7);
        using Checkpoint checkpoint = Checkpoint.Open(tiny.WriteHuggingFace(_folder));
        Llama model = checkpoint.Load();
        using var ops = new CpuOps(1);
        using KvCache cache = model.CreateCache();
        KvSequence sequence = cache.CreateSequence();
        // Beyond the context: an error, nothing shortened, and the cache is as before.
        Assert.Contains("expected at most 8 tokens, got 9", Assert.Throws<PunaException>(() => Pass([new int[9]], [0], [sequence])).Message, StringComparison.Ordinal);
        Pass([new int[6]], [0], [sequence]);
        Assert.Contains("got 9", Assert.Throws<PunaException>(() => Pass([new int[3]], [6], [sequence])).Message, StringComparison.Ordinal);
        Assert.Throws<PunaException>(() => Pass([[24]], [6], [sequence]));
        Assert.Throws<InvalidOperationException>(() => Pass([[1]], [5], [sequence]));
        Assert.Throws<InvalidOperationException>(() => Pass([[1]], [3], null));
        Assert.Throws<InvalidOperationException>(() => Pass([[1], [2]], [6, 6], [sequence, sequence]));
        Assert.Throws<InvalidOperationException>(() => Pass([[1], [2]], [6, 0], [sequence]));
        Assert.Throws<InvalidOperationException>(() => Pass([[1]], [6], [sequence, cache.CreateSequence()]));
        Assert.Equal(6, sequence.Length);
        Pass([[1, 2]], [6], [sequence]);
        Assert.Equal(8, sequence.Length);

        void Pass(int[][] tokens, int[] positions, KvSequence[]? cached)
        {
            var batch = new Batch();
            for (int s = 0; s < tokens.Length; s++)
            {
                batch.Add(tokens[s], positions[s], BatchOutputs.Last);
            }

            model.Forward(ops, batch, new ForwardContext(), cached);
        }
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
