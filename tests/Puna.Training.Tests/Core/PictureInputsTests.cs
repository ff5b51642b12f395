using Puna.Models;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Training.Core;
using Puna.Training.Data;

namespace Puna.Training.Tests.Core;

/// <summary>Batches in which some texts have pictures, in both designs.</summary>
public sealed class PictureInputsTests
{
    private const int Image = 40;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TextsWithNoneOneAndThreePicturesAreWhatTheyAreAlone(bool isFusion)
    {
        TrainableModel model = Model(isFusion);
        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        int[] counts = [0, 1, 3, 0];
        var all = new TrainingBatch();
        double sum = 0;
        for (int s = 0; s < counts.Length; s++)
        {
            var alone = new TrainingBatch();
            Add(alone, s, counts[s], model);
            Add(all, s, counts[s], model);
            sum += trainer.Evaluate(alone);
        }

        Assert.Equal(4, all.Images.Count);
        Assert.Equal(counts, all.Images.Select(static list => list.Count));

        // A text's own losses have the same bits; only their sum is made in another order.
        Assert.Equal(sum, trainer.Evaluate(all), 1e-9 * sum);
    }

    /// <summary>A batch without pictures goes the way of text: the loss of a model that sees has the bits of the text model in it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TextAloneHasTheBitsOfTheTextModel(bool isFusion)
    {
        TrainableModel model = Model(isFusion);
        LlamaConfig config = model.Config;
        using var ops = new CpuOps(2);
        using var seeing = new Trainer(ops, model, new AdamWOptions());
        var batch = new TrainingBatch();
        Add(batch, 1, 0, model);
        Add(batch, 2, 0, model);
        LlamaConfig text = config with { Vision = null, Llama4 = config.Llama4 is { } four ? four with { Vision = null } : null, Vocab = config.InputVocab };
        var weights = model.Weights.ToDictionary(static w => w.Name);

        // The text model may read the extra tokens of Llama 3.2 Vision and write them too; the loss is over the same logits otherwise.
        Llama plain = Llama.Build(text, model.RopeLayout, name => weights[name]);
        Tensor hidden = plain.Hidden(ops, batch.Batch, new ForwardContext()), logits = plain.Output.Forward(ops, hidden);
        var nll = new float[batch.Targets.Count];
        ops.CrossEntropy(logits, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(batch.Targets), new float[nll.Length], nll);
        Assert.Equal(nll.Sum(static x => (double)x), seeing.Evaluate(batch));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryParameterThatSeesIsReachedAndAStepLowersTheLoss(bool isFusion)
    {
        TrainableModel model = Model(isFusion);
        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions(Epsilon: 1e-8f, Decay: 0));
        var batch = new TrainingBatch();
        Add(batch, 0, 1, model);
        Add(batch, 1, 2, model);
        if (!isFusion)
        {
            // Gates begin closed, and nothing behind a closed gate has a gradient. (The experts of pictures are not of that kind.)
            foreach (TrainableParameter gate in model.Parameters.Where(static p => p.Name.Contains("gate", StringComparison.Ordinal)))
            {
                gate.Values.Row<float>(0).Fill(gate.Values.Shape.Rank == 1 ? 0.5f : 0.1f);
            }
        }

        double before = trainer.Evaluate(batch);
        trainer.Gradients([batch], batch.WeightSum);
        string[] unreached = [.. model.Parameters.Where(static p => TrainableModel.IsOfPictures(p.Name) || p.Name.Contains("router", StringComparison.Ordinal)).Where(p => ops.SquareSum(p.Gradient) == 0).Select(static p => p.Name)];
        Assert.Empty(unreached);
        for (int i = 0; i < 5; i++)
        {
            trainer.Step([batch], 3e-3);
        }

        Assert.True(trainer.Evaluate(batch) < before - 0.1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PicturesWithoutTheirTokensAreRefused(bool isFusion)
    {
        TrainableModel model = Model(isFusion);
        using var ops = new CpuOps(1);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        var batch = new TrainingBatch();
        batch.Add([1, 2, 3], [0, 1, 1], [Picture(1)]);
        PunaException e = Assert.Throws<PunaException>(() => trainer.Evaluate(batch));
        Assert.StartsWith("images", e.Message, StringComparison.Ordinal);
    }

    /// <summary>What is frozen has neither gradient nor moments, and keeps its bits.</summary>
    [Fact]
    public void FrozenParametersStayAsTheyAre()
    {
        TrainableModel whole = Model(isFusion: false), model = whole.Training(TrainableModel.IsOfPictures);
        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        var batch = new TrainingBatch();
        Add(batch, 0, 1, model);
        Dictionary<string, float[]> before = model.Weights.ToDictionary(static w => w.Name, static w => Values(w.Master));
        trainer.Step([batch], 1e-2);
        Assert.Equal(model.Parameters.Count, model.Gradients.Weights.Count);
        Assert.Equal(model.Parameters.Count, trainer.Optimizer.First.Count);
        Assert.All(model.Parameters, static p => Assert.True(TrainableModel.IsOfPictures(p.Name)));
        foreach (Weight weight in model.Weights.Where(static w => !TrainableModel.IsOfPictures(w.Name)))
        {
            Assert.Null(model.Gradients.Find(weight));
            Assert.Equal(before[weight.Name], Values(weight.Master));
        }

        Assert.NotEqual(before["cross_attention_layers.0.gate_attn"], Values(model.Weights.Single(static w => w.Name == "cross_attention_layers.0.gate_attn").Master));
    }

    private static TrainableModel Model(bool isFusion)
    {
        var text = new LlamaConfig { Hidden = 16, Ffn = 24, Layers = 2, Heads = 2, KvHeads = 1, HeadDim = 8, Vocab = Image + (isFusion ? 1 : 0), ContextLength = 64, NormEpsilon = 1e-5f };
        return TrainableModel.Create(
            isFusion
                ? text with
                {
                    Llama4 = new Llama4Config
                    {
                        Experts = 2, ExpertFfn = 12, HasExperts = [false, true], IsRotary = [true, true], IsLocal = [true, true], QkNorm = true,
                        Vision = new Llama4VisionConfig { ImageSize = 8, PatchSize = 2, Hidden = 8, Layers = 1, Heads = 2, Ffn = 12, AdapterHidden = 8, AdapterOutput = 10, PatchToken = Image },
                    },
                }
                : text with
                {
                    Vision = new MllamaConfig
                    {
                        CrossLayers = [1], ImageToken = Image, Hidden = 8, Ffn = 12, Heads = 2, LocalLayers = 2, GlobalLayers = 1, Taps = [1], ImageSize = 8, PatchSize = 4, MaxTiles = 1, AspectRatios = [(1, 1)],
                    },
                },
            7);
    }

    private static void Add(TrainingBatch batch, int seed, int images, TrainableModel model)
    {
        int perImage = model.Pictures?.Config.TokensPerTile ?? 1;
        int[] tokens = [1, .. Enumerable.Repeat(Image, images * perImage), .. Enumerable.Range(0, 6).Select(i => 2 + (((seed * 5) + (i * i)) % 30))];
        float[] weights = [.. tokens.Select(static t => t == Image || t == 1 ? 0f : 1f)];
        batch.Add(tokens, weights, [.. Enumerable.Range(0, images).Select(i => Picture((seed * 10) + i))]);
    }

    private static TiledImage Picture(int seed)
    {
        var random = new Random(seed);
        return new TiledImage(new TileGrid(1, 1), 8, 1, [.. Enumerable.Range(0, 3 * 8 * 8).Select(_ => (float)((random.NextDouble() * 2) - 1))]);
    }

    private static float[] Values(Tensor tensor) => [.. Enumerable.Range(0, (int)tensor.Rows).SelectMany(row => tensor.Row<float>(row).ToArray())];
}
