using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Tests.Vision;

/// <summary>Text that looks at images, against the reference; every way to run it gives the same bits.</summary>
public sealed class CrossAttentionTests
{
    /// <summary>goldens/README.md: float32 against float32; a common mistake moves logits by 4e-5 at least.</summary>
    private const double Tolerance = 2e-5;

    [Fact]
    public void LogitsAndHiddenStatesAreThoseOfTheReference()
    {
        using var golden = new MllamaGolden();
        using var ops = new CpuOps(2);
        using CrossStates states = CrossStates.Compute(golden.Model, ops, [golden.Image], golden.Mask);
        var hidden = new List<float>();
        int seen = 0, kept = golden.Model.Blocks.Count + golden.Model.CrossBlocks.Count;
        var tap = new Runner.Tap(ops, x =>
        {
            // Reference: embeddings, outputs of all blocks but the last, and the last one after the final norm.
            if (seen++ != kept)
            {
                hidden.AddRange(MllamaGolden.Read(ops, x));
            }
        });
        float[] logits = MllamaGolden.Whole(golden.Model, [golden.Ids], [states], ops, tap)[0];
        Assert.InRange(GoldenIo.MaxDifference(golden.Io.Floats("logits"), logits), 0, Tolerance);
        Assert.InRange(GoldenIo.MaxDifference(golden.Io.Floats("hidden_states"), hidden.ToArray()), 0, Tolerance);
    }

    [Fact]
    public void TextAloneIsThatOfTheReferenceAndOfTheTextModel()
    {
        using var golden = new MllamaGolden();
        int[] ids = golden.Io.Ints("text_only_ids");
        float[] logits = Runner.Whole(golden.Model, ids);
        Assert.InRange(GoldenIo.MaxDifference(golden.Io.Floats("text_only_logits"), logits), 0, Tolerance);

        // A model of the same weights that has never heard of images.
        LlamaConfig config = golden.Checkpoint.Config;
        Llama text = Llama.Build(config with { Vision = null, Vocab = config.InputVocab }, RopeLayout.HalfSplit, name => new Weight(name, golden.Checkpoint.GetTensor(name)));
        Assert.Equal(Runner.Whole(text, ids), logits);
    }

    [Fact]
    public void TextBeforeAnImageKnowsNothingOfIt()
    {
        using var golden = new MllamaGolden();
        using var ops = new CpuOps(2);
        using CrossStates states = CrossStates.Compute(golden.Model, ops, [golden.Image], golden.Mask);
        float[] with = MllamaGolden.Whole(golden.Model, [golden.Ids], [states], ops)[0];
        float[] without = Runner.Whole(golden.Model, golden.Ids[..2]);
        Assert.Equal(without, with[..without.Length]);
        Assert.NotEqual(Runner.Whole(golden.Model, golden.Ids)[without.Length..], with[without.Length..]);
    }

    [Theory]
    [InlineData(DType.F16, 1e-3)]
    [InlineData(DType.Q8_0, 5e-2)]
    public void KeysAndValuesOfImagesCanBeRounded(DType type, double most)
    {
        using var golden = new MllamaGolden();
        using var ops = new CpuOps(2);
        using CrossStates whole = CrossStates.Compute(golden.Model, ops, [golden.Image], golden.Mask);
        using CrossStates rounded = CrossStates.Compute(golden.Model, ops, [golden.Image], golden.Mask, type);
        Assert.True(rounded.ByteLength < whole.ByteLength);
        float[] logits = MllamaGolden.Whole(golden.Model, [golden.Ids], [rounded], ops)[0];

        // Rounding is felt, and is small against logits of 2: halves have 11 bits, q8_0 about 7.
        Assert.InRange(GoldenIo.MaxDifference(golden.Io.Floats("logits"), logits), 2e-5, most);
        Assert.Equal(logits, MllamaGolden.Chunked(golden.Model, golden.Ids, rounded, ops, 5));
    }

    [Fact]
    public void ATokenThatSeesAnImageAllocatesNothing()
    {
        using var golden = new MllamaGolden();
        using var ops = new CpuOps(2);
        using CrossStates states = CrossStates.Compute(golden.Model, ops, [golden.Image], golden.Mask);
        using KvCache cache = golden.Model.CreateCache();
        KvSequence[] sequence = [cache.CreateSequence()];
        CrossStates?[] images = [states];
        var context = new ForwardContext();
        var batch = new Batch();
        int[] token = [5];
        sequence[0].Reserve(100);
        Pass(40);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Pass(40);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Pass(int tokens)
        {
            for (int i = 0; i < tokens; i++)
            {
                ArenaMark mark = ops.Mark();
                batch.Clear();
                batch.Add(token, sequence[0].Length, BatchOutputs.Last);
                golden.Model.Forward(ops, batch, context, sequence, images);
                ops.Release(mark);
            }
        }
    }

    [Fact]
    public void EveryWayToRunGivesTheSameBits()
    {
        using var golden = new MllamaGolden();
        Llama model = golden.Model;
        using var ops = new CpuOps(2);
        using var one = new CpuOps(1);
        using CrossStates states = CrossStates.Compute(model, ops, [golden.Image], golden.Mask);
        float[] whole = MllamaGolden.Whole(model, [golden.Ids], [states], ops)[0];
        foreach (int chunk in new[] { 1, 2, 3, 7 })
        {
            Assert.Equal(whole, MllamaGolden.Chunked(model, golden.Ids, states, one, chunk));
        }

        // As it is trained: keys and values computed in the pass.
        ArenaMark mark = ops.Mark();
        Tensor features = model.Vision!.Forward(ops, [golden.Image, golden.Image]);
        Assert.Equal(whole, MllamaGolden.Whole(model, [golden.Ids], [CrossStates.Of(golden.Mask, features, 1)], ops)[0]);
        ops.Release(mark);

        // Beside text alone and another text with an image, and packed.
        int[] other = golden.Io.Ints("text_only_ids");
        using CrossStates second = CrossStates.Compute(model, ops, [golden.Image with { AspectRatio = 4 }], CrossMask.Of([1, 320, 2], 320, [golden.Image.IsUsed], 4));
        float[][] three = MllamaGolden.Whole(model, [other, golden.Ids, other], [null, states, second], ops);
        Assert.Equal(whole, three[1]);
        Assert.Equal(Runner.Whole(model, other), three[0]);
        Assert.Equal(MllamaGolden.Chunked(model, other, second, one, 5), three[2]);
        Assert.NotEqual(three[0], three[2]);
        Llama packed = model.PackFor(ops);
        using CrossStates again = CrossStates.Compute(packed, ops, [golden.Image], golden.Mask);
        Assert.Equal(whole, MllamaGolden.Chunked(packed, golden.Ids, again, ops, 5));
    }
}
