using System.Security.Cryptography;
using System.Text.Json;
using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;
using Puna.Training.Checkpoints;
using Puna.Training.Core;
using Puna.Training.Data.Altiplano;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Vision;

namespace Puna.Training.Tests.Recipes;

/// <summary>Whole runs in small, of both designs: what they leave behind, and that an interruption changes none of it. What models learn is in the tests that learn.</summary>
public sealed class VisionRecipeTests : IDisposable
{
    private const string Cross = """ "design": "cross_attention", "encoder": { "hidden": 16, "ffn": 24, "layers": 2, "heads": 2, "patch": 16, "taps": [1] } """;
    private const string Fusion = """ "design": "early_fusion", "encoder": { "hidden": 16, "ffn": 24, "layers": 1, "heads": 2, "patch": 8, "adapter": 20 }, "experts": { "count": 2, "ffn": 16 } """;
    private const string TwoStages = Cross + """, "text_steps": 4 """;

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-vision-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Cross)]
    [InlineData(Fusion)]
    [InlineData(TwoStages)]
    public void AnInterruptedRunEndsWithTheSameBytes(string design)
    {
        string whole = Path.Combine(_folder, "whole"), output = Path.Combine(_folder, "stopped");
        Run(design, whole);
        double[] losses = [.. File.ReadLines(Path.Combine(whole, "log.jsonl")).Select(static l => JsonDocument.Parse(l).RootElement.GetProperty("loss").GetDouble())];
        Assert.Equal(8, losses.Length);
        Assert.True(losses[^1] < losses[0] - 0.3, $"{losses[0]} -> {losses[^1]}");
        foreach (int after in new[] { 3, 4, 6 })
        {
            if (Directory.Exists(output))
            {
                Directory.Delete(output, recursive: true);
            }

            using var stop = new CancellationTokenSource();
            Assert.ThrowsAny<OperationCanceledException>(() => new VisionRecipe().Run(new RecipeRequest(Config(design), output, Threads: 1), new StopAfter(after, stop), stop.Token));
            File.AppendAllText(Path.Combine(output, "log.jsonl"), """{"step":99,"loss":1}""" + "\n{\"ste");
            new VisionRecipe().Run(new RecipeRequest(Config(design), output, Resume: true, Threads: 3), SilentReport.Instance, TestContext.Current.CancellationToken);
            foreach (string file in new[] { "log.jsonl", "log.csv", "loss.svg", "README.md", "exam.json", "model/model.safetensors", "model/config.json", "model/preprocessor_config.json", "model/tokenizer.json", "checkpoints/step-00000008/optimizer.safetensors" })
            {
                Assert.True(Hash(Path.Combine(whole, file)) == Hash(Path.Combine(output, file)), $"{file} after {after}");
            }
        }
    }

    [Theory]
    [InlineData(Cross)]
    [InlineData(Fusion)]
    public void TheExamSaysWhatIsRightAndWhatGuessingGives(string design)
    {
        string output = Path.Combine(_folder, "run");
        string text = Run(design, output);
        JsonElement exam = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(output, "exam.json"))).RootElement;
        Assert.Equal(10, exam.GetProperty("pictures").GetInt32());
        Assert.Equal(100.0 / 6, exam.GetProperty("objects").GetProperty("chance").GetDouble(), 1e-9);
        Assert.Equal(100.0 / 6, exam.GetProperty("colours").GetProperty("chance").GetDouble(), 1e-9);
        Assert.Equal(25, exam.GetProperty("places").GetProperty("chance").GetDouble());
        Assert.Equal(100.0 / 144, exam.GetProperty("exact_captions").GetProperty("chance").GetDouble(), 1e-9);
        Assert.InRange(exam.GetProperty("objects").GetProperty("right").GetDouble(), 0, 60);
        Assert.Contains("| objects |", text, StringComparison.Ordinal);
        Assert.Contains("| objects |", File.ReadAllText(Path.Combine(output, "README.md")), StringComparison.Ordinal);
    }

    /// <summary>The exported folder is one that the library opens: it says of a picture, through the image processor of the folder and the engine, what the exam's own way says.</summary>
    [Fact]
    public void TheEngineSeesWhatTheExamSaw()
    {
        string output = Path.Combine(_folder, "run"), folder = Path.Combine(output, "model");
        Run(Cross, output);
        using var ops = new CpuOps(2);
        using LanguageModel model = LanguageModel.Open(folder, ops: ops);
        ImageProcessor processor = ImageProcessorConfig.Open(folder);
        TrainableModel trained = TrainingCheckpoints.ReadModel(folder);
        VisionConfig config = RecipeConfig.Read(Config(Cross), VisionJson.Default.VisionConfig);
        var data = new CaptionData(config, model.Tokenizer!, 1);
        string said = new CaptionExam(trained, ops, model.Tokenizer!, data).Run(2, stop: TestContext.Current.CancellationToken).Samples[0].Said;

        AltiplanoPicture picture = PlacedPictures.Render(config.Seed, SplitPart.Test, 0, config.Things);
        TiledImage image = processor.Process(new Formats.Images.RgbImage(picture.Width, picture.Height, picture.Rgb));
        Assert.Equal(data.Tiles(picture).Pixels, image.Pixels);
        int[] prompt = [model.Tokenizer!.BosId!.Value, .. ImageTokens.Of(new ChatImage(), model.Tokenizer), .. model.Tokenizer.Encode(config.Prompt)];
        using var session = new Session(model, ops);
        var options = new GenerationOptions { MaxTokens = model.Llama.Config.ContextLength - prompt.Length, Sampling = SamplingOptions.Greedy };
        Assert.Equal(said, string.Concat(session.Generate(prompt, [image], options, TestContext.Current.CancellationToken).Select(static s => s.Text)).Trim());
    }

    /// <summary>Of early fusion: the encoder in the folder gives the bits of the one that was trained.</summary>
    [Fact]
    public void AnExportedEncoderIsTheOneThatWasTrained()
    {
        string output = Path.Combine(_folder, "run"), folder = Path.Combine(output, "model");
        Run(Fusion, output);
        Assert.True(ImageProcessorConfig.Open(folder) is { IsLlama4: true, Side: 32, MaxTiles: 1 });
        using var ops = new CpuOps(2);
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        Tokenizer tokenizer = TokenizerLoader.TryOpenFolder(folder)!;
        Assert.Equal(tokenizer.IdOf("<|patch|>"), checkpoint.Config.Llama4!.Vision!.PatchToken);
        TrainableModel trained = TrainingCheckpoints.ReadModel(folder);
        float[] pixels = [.. Enumerable.Range(0, 3 * 32 * 32).Select(static i => (float)Math.Sin(i))];
        Tensor features = checkpoint.LoadLlama4Vision().Encode(ops, pixels, 1), own = trained.Pictures!.Encode(ops, pixels, 1);
        for (long row = 0; row < own.Rows; row++)
        {
            Assert.Equal(own.Row<float>(row), features.Row<float>(row));
        }
    }

    /// <summary>The language model is frozen while what sees learns: on text alone the result has the bits of the model before, and its weights the same bytes (spec training.md AC-33).</summary>
    [Fact]
    public void AnAdapterLeavesTextAsItWas()
    {
        string output = Path.Combine(_folder, "run");
        Run(TwoStages, output, keep: 9);
        using Checkpoint before = Checkpoint.Open(Path.Combine(output, "checkpoints", "step-00000004")), after = Checkpoint.Open(Path.Combine(output, "model"));
        int changed = 0;
        foreach ((string name, _) in before.Config.Parameters())
        {
            Tensor one = before.GetTensor(name), other = after.GetTensor(name);
            bool same = Enumerable.Range(0, (int)one.Rows).All(row => one.Row<float>(row).SequenceEqual(other.Row<float>(row)));
            Assert.True(same || TrainableModel.IsOfPictures(name), name);
            changed += same ? 0 : 1;
        }

        Assert.True(changed > 20);
        using var ops = new CpuOps(2);
        int[] tokens = [before.Config.BosId!.Value, 60, 70, 80];
        Assert.Equal(Logits(ops, before.Load(), tokens), Logits(ops, after.Load(), tokens));

        // The first stage saw text alone: nothing that sees was moved.
        Checkpoint start = before;
        TrainableModel fresh = TrainableModel.Create(start.Config, 1);
        Weight gate = fresh.Weights.Single(static w => w.Name == "cross_attention_layers.0.attention.wq.weight");
        Assert.Equal(gate.Master.Row<float>(0), before.GetTensor(gate.Name).Row<float>(0));
    }

    [Theory]
    [InlineData(""" "design": "cross_attention", "encoder": { "hidden": 16, "ffn": 24, "layers": 2, "heads": 2, "shuffle": 2 } """, "shuffle")]
    [InlineData(""" "design": "early_fusion", "encoder": { "hidden": 16, "ffn": 24, "layers": 2, "heads": 2, "taps": [1] } """, "taps")]
    [InlineData(""" "design": "early_fusion", "encoder": { "hidden": 16, "ffn": 24, "layers": 2, "heads": 3 } """, "heads")]
    [InlineData(""" "design": "late_fusion", "encoder": { "hidden": 16, "ffn": 24, "layers": 2, "heads": 2 } """, "design")]
    [InlineData(Cross + """, "things": 5 """, "things")]
    [InlineData(Cross + """, "text_steps": 8 """, "text_steps")]
    [InlineData(Fusion + """, "text_steps": 2 """, "text_steps")]
    [InlineData(Cross + """, "experts": { "count": 2, "ffn": 8 } """, "experts")]
    [InlineData(""" "design": "cross_attention", "encoder": { "hidden": 16, "ffn": 24, "layers": 2, "heads": 2, "patch": 7 } """, "patch")]
    [InlineData(""" "design": "cross_attention", "encoder": { "hidden": 16, "ffn": 24, "layers": 2, "heads": 2, "taps": [4] } """, "taps")]
    [InlineData(Cross + """, "train_tokenizer": { "vocab_size": 200 } """, "tokenizer")]
    [InlineData(Cross + """, "speed": 1 """, "speed")]
    [InlineData(Cross + """, "optimizer": { "beta2": 1 } """, "optimizer.beta2")]
    [InlineData(Cross + """, "rate": null, "rate": null """, "rate")]
    [InlineData(Cross + """, "encoder": null """, "encoder")]
    [InlineData(Fusion + """, "experts": { "count": 2 } """, "ffn")]
    public void ABadConfigIsRefusedInOneLine(string settings, string named)
    {
        string output = Path.Combine(_folder, "bad");
        PunaException e = Assert.Throws<PunaException>(() => Run(settings, output));
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.False(Directory.Exists(output));
    }

    private static float[] Logits(CpuOps ops, Models.Llama model, int[] tokens)
    {
        var batch = new Batch();
        batch.Add(tokens, 0, BatchOutputs.All);
        Tensor logits = model.Forward(ops, batch, new ForwardContext());
        var values = new float[logits.Shape.Count];
        ops.Read(logits, values);
        return values;
    }

    private static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));

    private string Run(string design, string output, int keep = 2) =>
        new VisionRecipe().Run(new RecipeRequest(Config(design, keep), output, Threads: 2), SilentReport.Instance, TestContext.Current.CancellationToken);

    private string Config(string design, int keep = 2)
    {
        string path = Path.Combine(_folder, "config.json");
        File.WriteAllText(path, $$"""
            {
              {{design}},
              "model": { "hidden": 16, "ffn": 24, "layers": 2, "heads": 2, "context": 48, "tied_embeddings": false },
              "steps": 8, "batch_rows": 4, "rate": { "peak": 1e-2, "warmup": 1 }, "checkpoint_every": 2, "keep_checkpoints": {{keep}}, "validate_every": 4, "validation_pictures": 2, "exam_pictures": 10
            }
            """);
        return path;
    }

    private sealed class StopAfter(int steps, CancellationTokenSource stop) : IRecipeReport
    {
        public void Progress(string stage, long done, long? total)
        {
            if (total == 8 && done == steps)
            {
                stop.Cancel();
            }
        }

        public void Line(string text)
        {
        }
    }
}
