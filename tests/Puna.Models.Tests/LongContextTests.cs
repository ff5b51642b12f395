using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Tests;

/// <summary>A text of 100,000 tokens with Code Llama's rotary base, as long as Code Llama is good for and six times what it was trained on.</summary>
public sealed class LongContextTests : IDisposable
{
    private const int Tokens = 100_000;
    private const double Theta = 1e6;

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-long-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void TheLastOf100000TokensSeesAllOthers()
    {
        // One layer, so that the oracle needs one row of attention only. Only the number of tokens is large.
        TinyModel tiny = new TinyModel(8, 8, 1, 1, 1, 8, 16) { Context = 16_384 }.Randomize(5);

        // Sharp attention, so that the answer hangs on few keys and on the angles to them.
        float[] queries = tiny.Tensors["model.layers.0.self_attn.q_proj.weight"].Values;
        for (int i = 0; i < queries.Length; i++)
        {
            queries[i] *= 30;
        }

        using Checkpoint checkpoint = Checkpoint.Open(tiny.WriteHuggingFace(Path.Combine(_folder, "long"), more: ", \"rope_theta\": 1e6"));
        checkpoint.SetContext(Tokens);
        Assert.Equal(Tokens, checkpoint.Config.TokenLimit);
        var random = new Random(1);
        int[] ids = [.. Enumerable.Range(0, Tokens).Select(_ => random.Next(16))];

        using var ops = new CpuOps(2);
        Llama model = checkpoint.Load();
        using KvCache cache = model.CreateCache(DType.F32);
        KvSequence[] sequence = [cache.CreateSequence()];
        var context = new ForwardContext();
        var batch = new Batch();
        var logits = new float[16];
        for (int at = 0; at < Tokens; at += 4000)
        {
            ArenaMark mark = ops.Mark();
            batch.Clear();
            batch.Add(ids.AsSpan(at, 4000), at, BatchOutputs.Last);
            ops.Read(model.Forward(ops, batch, context, sequence), logits);
            ops.Release(mark);
        }

        // Measured: 1.5e-6. A base that is wrong by a thousandth shows in the fifth digit.
        double[] expected = Oracle(Theta);
        double[] wrong = Oracle(Theta * 1.001);
        for (int i = 0; i < logits.Length; i++)
        {
            Assert.Equal(expected[i], logits[i], 1e-5);
        }

        Assert.Contains(Enumerable.Range(0, 16), i => Math.Abs(expected[i] - wrong[i]) > 5e-5);

        double[] Oracle(double theta) => DenseOracle.LastLogits(tiny, ids, [.. Enumerable.Range(0, 4).Select(i => Math.Pow(theta, -2.0 * i / 8))]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData((1 << 24) + 1)]
    public void AContextThatCannotBeIsRefused(int tokens)
    {
        using Checkpoint checkpoint = Checkpoint.Open(new TinyModel(8, 8, 1, 1, 1, 8, 16).Randomize(1).WriteHuggingFace(Path.Combine(_folder, "short")));
        Assert.Contains("context length", Assert.Throws<PunaException>(() => checkpoint.SetContext(tokens)).Message, StringComparison.Ordinal);
        Assert.Equal(128, checkpoint.Config.ContextLength);
    }

    [Fact]
    public void ADynamicRotationKeepsItsContext()
    {
        string folder = new TinyModel(8, 8, 1, 1, 1, 8, 16).Randomize(1).WriteHuggingFace(Path.Combine(_folder, "dynamic"), more: ", \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2.0}");
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        Assert.Contains("dynamic scaling", Assert.Throws<PunaException>(() => checkpoint.SetContext(1000)).Message, StringComparison.Ordinal);
    }
}
