using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Tests.Shared;

namespace Puna.Models.Tests;

/// <summary>Logits, hidden states and greedy continuations of the reference implementation (Hugging Face, float32).</summary>
public sealed class LlamaGoldenTests
{
    /// <summary>goldens/README.md: float32 against float32; a common mistake moves logits by 4e-5 at least.</summary>
    private const double Tolerance = 2e-5;

    public static TheoryData<string> Models =>
        ["llama1-mha", "llama2-gqa", "codellama", "llama3-gqa", "llama31-scaled", "llama32-tied", "mqa", "rope-linear", "rope-dynamic", "rope-yarn", "llama4-scout", "llama4-maverick"];

    /// <summary>Without <c>rope-dynamic</c>, whose answer depends on the length of the whole input, so that there is none token by token.</summary>
    public static TheoryData<string> OneAnswer => [.. Models.Select(row => row.Data).Where(name => name != "rope-dynamic")];

    [Theory]
    [MemberData(nameof(Models))]
    public void LogitsAndHiddenStatesMatch(string name)
    {
        string folder = TestFiles.GoldenModel(name);
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(folder, "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        Llama model = checkpoint.Load();
        int[] ids = io.Ints("input_ids");
        var hidden = new List<float>();
        int states = 0;
        float[] logits = Runner.Whole(model, ids, hidden: x =>
        {
            // Reference: embeddings, outputs of all blocks but the last, and the last one after the final norm.
            if (states++ != model.Blocks.Count)
            {
                for (int r = 0; r < x.Rows; r++)
                {
                    hidden.AddRange(x.Row<float>(r));
                }
            }
        });
        Assert.InRange(GoldenIo.MaxDifference(io.Floats("logits"), logits), 0, Tolerance);
        Assert.InRange(GoldenIo.MaxDifference(io.Floats("hidden_states"), hidden.ToArray()), 0, Tolerance);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void GreedyContinuationsMatch(string name)
    {
        string folder = TestFiles.GoldenModel(name);
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(folder, "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        Llama model = checkpoint.Load();
        int[] ids = io.Ints("input_ids");
        int[] expected = io.Ints("greedy_ids");
        Assert.Equal(expected, Runner.Greedy(model, ids, expected.Length - ids.Length, cached: false));
        Assert.Equal(expected, Runner.Greedy(model, ids, expected.Length - ids.Length, cached: true));
    }

    [Theory]
    [MemberData(nameof(OneAnswer))]
    public void EveryWayToRunGivesTheSameBits(string name)
    {
        string folder = TestFiles.GoldenModel(name);
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(folder, "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        EveryWay(checkpoint.Load(), io.Ints("input_ids"));
    }

    [Fact]
    public void RewardModelScoresMatch()
    {
        string folder = TestFiles.GoldenModel("reward-model");
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(folder, "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        float[] scores = Runner.Whole(checkpoint.Load(), io.Ints("input_ids"));
        float[] expected = io.Floats("score");
        Assert.InRange(GoldenIo.MaxDifference(expected, scores.AsSpan(scores.Length - expected.Length)), 0, Tolerance);
    }

    [Theory]
    [InlineData("meta-llama2-gqa-2x-float32", "llama2-gqa")]
    [InlineData("meta-llama3-gqa-2x-float32", "llama3-gqa")]
    [InlineData("gguf-llama31/f32.gguf", "llama31-scaled")]
    public void EveryFormatGivesTheSameBits(string other, string original)
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden(original, "io.safetensors"));
        using Checkpoint a = Checkpoint.Open(TestFiles.GoldenModel(original));
        using Checkpoint b = Checkpoint.Open(other.Contains('/', StringComparison.Ordinal) ? TestFiles.Golden(other.Split('/')) : TestFiles.GoldenModel(other));
        int[] ids = io.Ints("input_ids");
        Assert.Equal(Runner.Whole(a.Load(), ids), Runner.Whole(b.Load(), ids));
    }

    [Theory]
    [InlineData("meta-llama2-gqa-1x-bfloat16")]
    [InlineData("meta-llama3-gqa-1x-bfloat16")]
    public void MetaBfloat16LogitsMatch(string name)
    {
        string folder = TestFiles.GoldenModel(name);
        using SafetensorsFile io = SafetensorsFile.Open(Path.Combine(folder, "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        float[] logits = Runner.Whole(checkpoint.Load(), io.Ints("input_ids"));
        Assert.InRange(GoldenIo.MaxDifference(io.Floats("logits"), logits), 0, Tolerance);
    }

    [Fact]
    public void TrainedModelMatches()
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("trained-tiny", "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("trained-tiny"));
        Llama model = checkpoint.Load();
        // Logits of a trained model reach 30; the float32 spacing there is ten times that of the random models.
        Assert.InRange(GoldenIo.MaxDifference(io.Floats("story_logits"), Runner.Whole(model, io.Ints("story_ids"))), 0, 1e-4);
    }

    [Fact]
    public void StoriesOfTheLlama2cModelMatch()
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Asset("stories260K", "io.safetensors"));
        using Checkpoint hf = Checkpoint.Open(TestFiles.Asset("stories260K"));
        using Checkpoint bin = Checkpoint.Open(TestFiles.Asset("stories260K", "stories260K.bin"));
        int[] ids = io.Ints("greedy_ids");
        Llama model = hf.Load();
        float[] logits = Runner.Whole(model, ids);
        // assets/README.md: float32, 2e-4.
        Assert.InRange(GoldenIo.MaxDifference(io.Floats("logits_of_greedy_ids"), logits), 0, 2e-4);
        Assert.Equal(logits, Runner.Whole(bin.Load(), ids));
        Assert.Equal(ids, Runner.Greedy(model, ids[..1], ids.Length - 1, cached: true));
    }

    [Theory]
    [InlineData(Tensors.DType.F16)]
    [InlineData(Tensors.DType.Q8_0)]
    public void ARoundedCacheGivesTheSameBitsHoweverTheModelIsRun(Tensors.DType kv)
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("trained-tiny", "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("trained-tiny"));
        Llama model = checkpoint.Load();
        int[] ids = io.Ints("story_ids");
        float[] whole = Runner.Chunked(model, ids, ids.Length, kv: kv);
        Assert.Equal(whole, Runner.Chunked(model, ids, 1, threads: 2, kv));
        Assert.Equal(whole, Runner.Chunked(model, ids, 7, threads: 1, kv));
        float[][] ragged = Runner.Ragged(model, [ids, ids[..(ids.Length / 2)], ids], [ids.Length, 1, 5], 2, kv);
        Assert.Equal(whole, ragged[0]);
        Assert.Equal(whole.AsSpan(0, ragged[1].Length).ToArray(), ragged[1]);
        Assert.Equal(whole, ragged[2]);

        // Rounding is felt, and is small against logits that reach 30: halves have 11 bits, q8_0 about 7.
        double apart = GoldenIo.MaxDifference(io.Floats("story_logits"), whole);
        Assert.InRange(apart, 1e-4, kv == Tensors.DType.F16 ? 0.05 : 1);
    }

    [Theory]
    [InlineData(Tensors.DType.F32)]
    [InlineData(Tensors.DType.F16)]
    [InlineData(Tensors.DType.Q8_0)]
    public void AForwardPassAllocatesNothing(Tensors.DType kv)
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("trained-tiny"));
        Llama model = checkpoint.Load();
        using var ops = new Tensors.CpuOps(2);
        using Tensors.KvCache cache = model.CreateCache(kv);
        Tensors.KvSequence[] sequence = [cache.CreateSequence()];
        var context = new ForwardContext();
        var batch = new Tensors.Batch();
        int[] token = [5];
        // Blocks of the cache are objects, one for 32 tokens: they are taken before. 300 tokens reach beyond a span of 256 keys, where threads share a row.
        sequence[0].Reserve(400);
        Pass(10);
        Pass(300);
        sequence[0].Truncate(10);
        sequence[0].Reserve(390);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Pass(300);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Pass(int tokens)
        {
            for (int i = 0; i < tokens; i++)
            {
                Tensors.ArenaMark mark = ops.Mark();
                batch.Clear();
                batch.Add(token, sequence[0].Length, Tensors.BatchOutputs.Last);
                model.Forward(ops, batch, context, sequence);
                ops.Release(mark);
            }
        }
    }

    private static void EveryWay(Llama model, int[] ids)
    {
        float[] whole = Runner.Whole(model, ids, threads: 1);
        Assert.Equal(whole, Runner.Whole(model, ids, threads: 2));
        Assert.Equal(whole, Runner.Chunked(model, ids, 1, threads: 2));
        Assert.Equal(whole, Runner.Chunked(model, ids, 7));
        int[][] sequences = [ids, [.. ids.Reverse()], ids[..(ids.Length / 2)], ids];
        foreach (int threads in new[] { 1, 2 })
        {
            float[][] ragged = Runner.Ragged(model, sequences, [ids.Length, 1, 7, 5], threads);
            Assert.Equal(whole, ragged[0]);
            Assert.Equal(whole, ragged[3]);
            Assert.Equal(whole.AsSpan(0, ragged[2].Length).ToArray(), ragged[2]);
            Assert.Equal(Runner.Whole(model, sequences[1]), ragged[1]);
        }
    }
}
