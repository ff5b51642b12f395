using System.Security.Cryptography;
using System.Text.Json;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Training.Checkpoints;
using Puna.Training.Core;
using Puna.Training.Data;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Tests.Recipes;

/// <summary>A whole run in small: what it leaves behind, and that an interruption changes none of it.</summary>
public sealed class PretrainRecipeTests : IDisposable
{
    private const string Model = """ "model": { "hidden": 32, "ffn": 48, "layers": 2, "heads": 2, "kv_heads": 1, "context": 64 } """;

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-pretrain-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ARunLeavesAModelALogAPlotAndACard()
    {
        string output = Run(Config(), "run");
        string[] lines = File.ReadAllLines(Path.Combine(output, "log.jsonl"));
        Assert.Equal(8, lines.Length);
        double[] losses = [.. lines.Select(static l => JsonDocument.Parse(l).RootElement.GetProperty("loss").GetDouble())];
        Assert.Equal(Enumerable.Range(1, 8), lines.Select(static l => JsonDocument.Parse(l).RootElement.GetProperty("step").GetInt32()));

        // A new model knows nothing: the loss begins at the logarithm of the vocabulary (its logits are of size 1/50). Then it falls.
        Assert.InRange(losses[0], Math.Log(320) - 0.3, Math.Log(320) + 0.3);
        Assert.True(losses[^1] < losses[0] - 0.3, $"{losses[0]} -> {losses[^1]}");
        foreach (int step in new[] { 4, 8 })
        {
            Assert.InRange(JsonDocument.Parse(lines[step - 1]).RootElement.GetProperty("validation_loss").GetDouble(), 1, 6);
        }

        Assert.Equal(9, File.ReadAllLines(Path.Combine(output, "log.csv")).Length);
        Assert.Equal(9, File.ReadAllLines(Path.Combine(output, "speed.csv")).Length);
        Assert.StartsWith("<", File.ReadAllText(Path.Combine(output, "loss.svg")).TrimStart(), StringComparison.Ordinal);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(Path.Combine(output, "loss.png"))[..4]);
        string card = File.ReadAllText(Path.Combine(output, "README.md"));
        Assert.Contains("Altiplano stories", card, StringComparison.Ordinal);
        Assert.Contains("Once upon a time", card, StringComparison.Ordinal);
        Assert.Contains("| training | 8 steps of 2 rows of 48 tokens, 768 tokens in all, seed 1 |", card, StringComparison.Ordinal);
        Assert.Contains("| optimiser | AdamW (0.9, 0.95), epsilon 1E-05, decay 0.1, clip 1, ", card, StringComparison.Ordinal);

        // Two checkpoints are kept, and the newest is the model.
        Assert.Equal(["step-00000006", "step-00000008"], Directory.GetDirectories(Path.Combine(output, "checkpoints")).Select(Path.GetFileName).Order());
        using var ops = new CpuOps(1);
        using LanguageModel model = LanguageModel.Open(Path.Combine(output, "model"), ops: ops);
        Assert.NotNull(model.Chat!.Format);
        using var session = new Session(model, ops);
        Assert.NotEmpty(session.Generate(model.Tokenizer!.EncodePrompt("The"), new GenerationOptions { MaxTokens = 3 }, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public void AnInterruptedRunEndsWithTheSameBytes(int after)
    {
        string whole = Run(Config(), "whole");
        string output = Path.Combine(_folder, "stopped");
        using (var stop = new CancellationTokenSource())
        {
            var request = new RecipeRequest(Config(), output, Threads: 1);
            Assert.ThrowsAny<OperationCanceledException>(() => new PretrainRecipe().Run(request, new StopAfter(after, stop), stop.Token));
        }

        // What a killed process leaves: speeds of steps that are done again, a line that is not whole, lines behind the checkpoint, a folder that was being written.
        File.AppendAllText(Path.Combine(output, "speed.csv"), $"{after + 1},96,1,96,1,1\n{after + 2},9");
        File.AppendAllText(Path.Combine(output, "log.jsonl"), """{"step":99,"loss":1}""" + "\n{\"ste");
        Directory.CreateDirectory(Path.Combine(output, "checkpoints", "step-00000099.tmp"));
        Directory.CreateDirectory(Path.Combine(output, "checkpoints", "step-00000098"));
        new PretrainRecipe().Run(new RecipeRequest(Config(), output, Resume: true, Threads: 3), SilentReport.Instance, TestContext.Current.CancellationToken);
        AssertSame(whole, output);
        Assert.Equal(["step", "1", "2", "3", "4", "5", "6", "7", "8"], File.ReadLines(Path.Combine(output, "speed.csv")).Select(static l => l.Split(',')[0]));
    }

    /// <summary>Killed after a checkpoint, before its samples were written, or between two of them.</summary>
    [Theory]
    [InlineData(4, 0)]
    [InlineData(4, 1)]
    [InlineData(8, 1)]
    public void SamplesThatAKillTookAreMadeAgain(int after, int left)
    {
        string config = Config(extra: """ "sample_prompts": ["Once upon a time", "The llama"], """);
        string whole = Run(config, "whole"), output = Path.Combine(_folder, "killed");
        if (after < 8)
        {
            Stop(config, output, after);
        }
        else
        {
            Run(config, "killed");
        }

        string samples = Path.Combine(output, "samples.jsonl");
        File.WriteAllLines(samples, File.ReadAllLines(samples)[..(after == 8 ? 2 + left : left)]);
        new PretrainRecipe().Run(new RecipeRequest(config, output, Resume: true), SilentReport.Instance, TestContext.Current.CancellationToken);
        AssertSame(whole, output);
        Assert.Equal(4, File.ReadAllLines(samples).Length);
    }

    /// <summary>A step whose loss is no number is passed over: the run goes on, and its log says so.</summary>
    [Fact]
    public void ABadStepIsPassedOver()
    {
        string init = Path.Combine(_folder, "init"), path = Config(name: "untied.json", model: Model.Replace("\"context\"", "\"tied_embeddings\": false, \"context\"", StringComparison.Ordinal));
        Directory.CreateDirectory(init);
        foreach (string file in Directory.GetFiles(Path.Combine(Run(path, "untied"), "model")))
        {
            File.Copy(file, Path.Combine(init, Path.GetFileName(file)));
        }

        // An embedding that is no number, of a token that one step alone has.
        int[][] tokens = Tokens(path);
        (int rare, int bad) = Enumerable.Range(0, 320).Select(id => (Id: id, Step: Array.FindIndex(tokens, t => t.Contains(id)), Steps: tokens.Count(t => t.Contains(id)))).Where(static t => t.Steps == 1 && t.Step < 6).Select(static t => (t.Id, t.Step)).First();
        TrainableModel model = TrainingCheckpoints.ReadModel(init);
        model.Weights.Single(static w => w.Name == "tok_embeddings.weight").Master.Row<float>(rare).Fill(float.NaN);
        HuggingFaceModel.Write(model, Path.Combine(init, "model.safetensors"));

        string config = Config(name: "bad-step.json", model: $"\"init_from\": {JsonSerializer.Serialize(init)}");
        string output = Run(config, "bad-step");
        JsonElement[] lines = [.. File.ReadLines(Path.Combine(output, "log.jsonl")).Select(static l => JsonDocument.Parse(l).RootElement)];
        Assert.Equal(Enumerable.Range(1, 8), lines.Select(static l => l.GetProperty("step").GetInt32()));
        Assert.Equal([bad], Enumerable.Range(0, 8).Where(i => !lines[i].TryGetProperty("loss", out _)));
        Assert.Equal([bad], Enumerable.Range(0, 8).Where(i => !lines[i].TryGetProperty("grad_norm", out _)));
        Assert.Equal([bad], Enumerable.Range(0, 8).Where(i => lines[i].TryGetProperty("updated", out JsonElement updated) && !updated.GetBoolean()));
        Assert.StartsWith($"{bad + 1},,,", File.ReadAllLines(Path.Combine(output, "log.csv"))[bad + 1], StringComparison.Ordinal);

        // And it is no obstacle to going on, for which the first model is not needed any more.
        string again = Path.Combine(_folder, "bad-step-again");
        Stop(config, again, Math.Max(1, bad + 1));
        Directory.Delete(init, recursive: true);
        new PretrainRecipe().Run(new RecipeRequest(config, again, Resume: true), SilentReport.Instance, TestContext.Current.CancellationToken);
        AssertSame(output, again);
    }

    /// <summary>Ctrl-C behind a checkpoint, or before the first step of a run that goes on, leaves the checkpoint alone: while it was written again there would be none.</summary>
    [Fact]
    public void ACheckpointIsNotWrittenTwice()
    {
        string output = Path.Combine(_folder, "stopped"), mark = Path.Combine(output, "checkpoints", "step-00000004", "mark");
        using (var stop = new CancellationTokenSource())
        {
            var report = new OnLine("step 4:", "Once upon", () =>
            {
                File.WriteAllText(mark, "");
                stop.Cancel();
            });
            Assert.ThrowsAny<OperationCanceledException>(() => new PretrainRecipe().Run(new RecipeRequest(Config(), output), report, stop.Token));
        }

        Assert.True(File.Exists(mark));
    }

    /// <summary>A log that lost its end goes on from the last checkpoint that it reaches; one that reaches none says so.</summary>
    [Fact]
    public void ALogThatLostItsEndGoesBackToAnOlderCheckpoint()
    {
        string whole = Run(Config(), "whole"), output = Run(Config(), "short");
        string log = Path.Combine(output, "log.jsonl");
        File.WriteAllLines(log, File.ReadAllLines(log)[..7]);
        var report = new Lines();
        new PretrainRecipe().Run(new RecipeRequest(Config(), output, Resume: true), report, TestContext.Current.CancellationToken);
        Assert.Contains(report.Heard, static l => l.Contains("step-00000008: the log has 7 steps only", StringComparison.Ordinal));
        AssertSame(whole, output);

        File.Delete(log);
        PunaException e = Assert.Throws<PunaException>(() => new PretrainRecipe().Run(new RecipeRequest(Config(), output, Resume: true), SilentReport.Instance, TestContext.Current.CancellationToken));
        Assert.Contains("expected at least the 6 steps of the oldest checkpoint, got 0", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Checkpoints of another run are not to be taken for this one's, whatever became of its log.</summary>
    [Fact]
    public void AFolderWithCheckpointsIsNotOverwritten()
    {
        string output = Run(Config(), "run");
        File.Delete(Path.Combine(output, "log.jsonl"));
        PunaException e = Assert.Throws<PunaException>(() => new PretrainRecipe().Run(new RecipeRequest(Config(seed: 2, name: "other.json"), output), SilentReport.Instance, TestContext.Current.CancellationToken));
        Assert.Contains("got one with checkpoints", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedCheckpointIsPassedOver()
    {
        string whole = Run(Config(), "whole");
        string output = Run(Config(), "damaged");
        string newest = Path.Combine(output, "checkpoints", "step-00000008", "optimizer.safetensors");
        byte[] bytes = File.ReadAllBytes(newest);
        bytes[^5] ^= 1;
        File.WriteAllBytes(newest, bytes);
        var report = new Lines();
        new PretrainRecipe().Run(new RecipeRequest(Config(), output, Resume: true), report, TestContext.Current.CancellationToken);
        Assert.Contains(report.Heard, static l => l.Contains("step-00000008", StringComparison.Ordinal) && l.Contains("optimizer.safetensors", StringComparison.Ordinal));
        AssertSame(whole, output);
    }

    [Fact]
    public void WithoutACheckpointResumeStartsAnew()
    {
        string whole = Run(Config(), "whole");
        string output = Path.Combine(_folder, "empty");
        Directory.CreateDirectory(output);
        File.WriteAllText(Path.Combine(output, "log.jsonl"), """{"step":1,"loss":9,"grad_norm":1,"rate":1,"tokens":1}""" + "\n");
        new PretrainRecipe().Run(new RecipeRequest(Config(), output, Resume: true), SilentReport.Instance, TestContext.Current.CancellationToken);
        AssertSame(whole, output);
    }

    [Fact]
    public void AFolderWithARunIsNotOverwritten()
    {
        string output = Run(Config(), "run");
        byte[] before = File.ReadAllBytes(Path.Combine(output, "log.jsonl"));
        PunaException e = Assert.Throws<PunaException>(() => new PretrainRecipe().Run(new RecipeRequest(Config(), output), SilentReport.Instance, TestContext.Current.CancellationToken));
        Assert.Contains("--resume", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(output, "log.jsonl")));
    }

    [Fact]
    public void ARunGoesOnWithItsOwnConfigOnly()
    {
        string output = Run(Config(), "run");
        string other = Config(seed: 2, name: "other.json");
        PunaException e = Assert.Throws<PunaException>(() => new PretrainRecipe().Run(new RecipeRequest(other, output, Resume: true), SilentReport.Instance, TestContext.Current.CancellationToken));
        Assert.StartsWith("config: ", e.Message, StringComparison.Ordinal);
    }

    /// <summary>A tokenizer that an interrupted start left behind is taken by the config that it is of alone.</summary>
    [Theory]
    [InlineData("\"vocab_size\": 320", "\"vocab_size\": 340")]
    [InlineData("\"documents\": 20", "\"documents\": 21")]
    [InlineData("\"seed\": 1", "\"seed\": 2")]
    [InlineData("\"stories\"", "\"primers\"")]
    public void ATokenizerOfAnotherConfigIsRefused(string from, string to)
    {
        string config = Config(), output = Path.Combine(_folder, "left"), tokenizer = Path.Combine(output, "tokenizer");
        PretrainSetup.Create(new RecipeRequest(config, output), SilentReport.Instance, TestContext.Current.CancellationToken).Dispose();
        byte[] before = File.ReadAllBytes(Path.Combine(tokenizer, "tokenizer.json"));
        string other = Path.Combine(_folder, "other.json");
        File.WriteAllText(other, File.ReadAllText(config).Replace(from, to, StringComparison.Ordinal));
        foreach (bool resume in new[] { false, true })
        {
            PunaException e = Assert.Throws<PunaException>(() => new PretrainRecipe().Run(new RecipeRequest(other, output, resume), SilentReport.Instance, TestContext.Current.CancellationToken));
            Assert.StartsWith($"tokenizer {tokenizer}: expected none, or the one that this config trains", e.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, File.ReadAllBytes(Path.Combine(tokenizer, "tokenizer.json")));
        Assert.False(File.Exists(Path.Combine(output, "log.jsonl")));

        // Its own config takes it, and what is beside it does not go into the model.
        Run(config, "left");
        Assert.DoesNotContain(RecipeTokenizers.OriginFile, Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories).Where(f => !f.StartsWith(tokenizer, StringComparison.Ordinal)).Select(Path.GetFileName));
    }

    /// <summary>A tokenizer that does not say where it is from: of a run begun by an earlier version, which may go on; not of one that begins.</summary>
    [Fact]
    public void ATokenizerWithoutAnOriginIsThatOfARunThatGoesOn()
    {
        string config = Config(), whole = Run(config, "whole"), output = Path.Combine(_folder, "old");
        Stop(config, output, 3);
        File.Delete(Path.Combine(output, "tokenizer", RecipeTokenizers.OriginFile));
        new PretrainRecipe().Run(new RecipeRequest(config, output, Resume: true), SilentReport.Instance, TestContext.Current.CancellationToken);
        AssertSame(whole, output);

        string fresh = Path.Combine(_folder, "fresh");
        Directory.CreateDirectory(fresh);
        Directory.Move(Path.Combine(output, "tokenizer"), Path.Combine(fresh, "tokenizer"));
        PunaException e = Assert.Throws<PunaException>(() => new PretrainRecipe().Run(new RecipeRequest(config, fresh), SilentReport.Instance, TestContext.Current.CancellationToken));
        Assert.Contains("does not say what it was trained from", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MicroBatchesAndCheckpointedActivationsGiveTheSameLosses()
    {
        double[] whole = Losses(Run(Config(), "whole"));
        double[] micro = Losses(Run(Config(extra: """ "micro_rows": 1, "activation_checkpoints": true, """, name: "micro.json"), "micro"));

        // The normaliser is that of the whole step: only the order of sums differs, by 1e-6 in a step.
        Assert.InRange(whole.Zip(micro, static (a, b) => Math.Abs(a - b)).Max(), 0, 1e-4);
        double[] memory = Losses(Run(Config(extra: """ "activation_checkpoints": true, """, name: "memory.json"), "memory"));
        Assert.Equal(whole, memory);
    }

    [Fact]
    public void AStageChangesContextAndRotaryBase()
    {
        string output = Run(Config(extra: """ "stages": [ { "from_step": 5, "row_tokens": 96, "context": 96, "rope_theta": 1000000 } ], """), "stages");
        string[] lines = File.ReadAllLines(Path.Combine(output, "log.jsonl"));
        long[] tokens = [.. lines.Select(static l => JsonDocument.Parse(l).RootElement.GetProperty("tokens").GetInt64())];
        Assert.Equal(2 * 48, tokens[4] - tokens[3]);
        Assert.Equal(2 * 96, tokens[5] - tokens[4]);
        using LanguageModel model = LanguageModel.Open(Path.Combine(output, "model"));
        Assert.Equal((96, 1000000.0), (model.Llama.Config.ContextLength, model.Llama.Config.RopeTheta));

        // The card tells of both, and its operations are those of each stage's rows: 5 steps of 2 x 48 tokens, 3 of 2 x 96.
        string card = File.ReadAllText(Path.Combine(output, "README.md"));
        Assert.Contains("| training | 8 steps of 2 rows of 48 tokens, of 96 from step 6 on, 1,056 tokens in all, seed 1 |", card, StringComparison.Ordinal);
        double matrices = 6.0 * ((2 * ((2 * 32 * 32) + (2 * 32 * 16) + (3 * 32 * 48))) + (320 * 32)), attention = 6.0 * 2 * 32;
        Assert.Contains(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"| operations | {(480 * (matrices + (attention * 48))) + (576 * (matrices + (attention * 96))):E2} at most |"), card, StringComparison.Ordinal);

        // In the middle of the second stage, too, a run goes on as if nothing had happened.
        string again = Path.Combine(_folder, "stages-again");
        using (var stop = new CancellationTokenSource())
        {
            var request = new RecipeRequest(Path.Combine(_folder, "config.json"), again);
            Assert.ThrowsAny<OperationCanceledException>(() => new PretrainRecipe().Run(request, new StopAfter(7, stop), stop.Token));
        }

        new PretrainRecipe().Run(new RecipeRequest(Path.Combine(_folder, "config.json"), again, Resume: true), SilentReport.Instance, TestContext.Current.CancellationToken);
        AssertSame(output, again);
    }

    /// <summary>A Llama 4 with its routers' losses, noise and capacity: both are in the log, and an interruption changes nothing.</summary>
    [Fact]
    public void ExpertsAreBalancedOnTheWay()
    {
        string config = Config(
            extra: """ "experts": { "balance": 0.01, "z": 0.001, "noise": 0.3, "load": 0.01, "capacity": 1.0 }, """,
            name: "experts.json",
            model: $"\"init_from\": {JsonSerializer.Serialize(TestFiles.GoldenModel("llama4-scout"))}");
        string whole = Run(config, "experts"), again = Path.Combine(_folder, "experts-again");
        foreach (string line in File.ReadLines(Path.Combine(whole, "log.jsonl")))
        {
            JsonElement entry = JsonDocument.Parse(line).RootElement;
            Assert.InRange(entry.GetProperty("expert_loss").GetDouble(), 0.01, 1);
            Assert.InRange(entry.GetProperty("dropped_rows").GetInt64(), 0, 8 * 96);
        }

        using (var stop = new CancellationTokenSource())
        {
            Assert.ThrowsAny<OperationCanceledException>(() => new PretrainRecipe().Run(new RecipeRequest(config, again), new StopAfter(3, stop), stop.Token));
        }

        new PretrainRecipe().Run(new RecipeRequest(config, again, Resume: true), SilentReport.Instance, TestContext.Current.CancellationToken);
        AssertSame(whole, again);
    }

    [Theory]
    [InlineData(""" "steps": 8, "experts": { "load": 1 } """, "experts.load")]
    [InlineData(""" "steps": 8, "row_tokens": 48, "experts": { "balance": 1 } """, "without experts")]
    [InlineData(""" "steps": 0 """, "steps")]
    [InlineData(""" "steps": 8, "batch_rows": 3, "micro_rows": 2 """, "micro_rows")]
    [InlineData(""" "steps": 8, "row_tokens": 100 """, "row_tokens")]
    [InlineData(""" "steps": 8, "sample_every": 3, "checkpoint_every": 2 """, "sample_every")]
    [InlineData(""" "steps": 8, "rate": { "peak": -1 } """, "learning rate")]
    [InlineData(""" "steps": 8, "tokenizer": "nowhere" """, "tokenizer")]
    [InlineData(""" "steps": 8, "init_from": "nowhere" """, "model")]
    [InlineData(""" "steps": 8, "speed": 1 """, "speed")]
    [InlineData(""" "steps": 8, "data": null """, "data")]
    [InlineData(""" "steps": 8, "data": [null] """, "data")]
    [InlineData(""" "steps": 8, "stages": null """, "stages")]
    [InlineData(""" "steps": 8, "stages": [null] """, "stages")]
    [InlineData(""" "steps": 8, "stages": [{ "row_tokens": 8 }] """, "from_step")]
    [InlineData(""" "steps": 8, "rate": null """, "rate")]
    [InlineData(""" "steps": 8, "optimizer": null """, "optimizer")]
    [InlineData(""" "steps": 8, "sample_prompts": [null] """, "sample_prompts")]
    [InlineData(""" "steps": 8, "name": null """, "name")]
    [InlineData(""" "steps": 8, "optimizer": { "beta1": 1 } """, "optimizer.beta1")]
    [InlineData(""" "steps": 8, "optimizer": { "beta2": -0.1 } """, "optimizer.beta2")]
    [InlineData(""" "steps": 8, "optimizer": { "epsilon": 0 } """, "optimizer.epsilon")]
    [InlineData(""" "steps": 8, "optimizer": { "decay": -1 } """, "optimizer.decay")]
    [InlineData(""" "steps": 8, "optimizer": { "decay": 1e40 } """, "optimizer.decay")]
    public void ABadConfigIsRefusedInOneLine(string settings, string named)
    {
        string path = Path.Combine(_folder, "bad.json");
        File.WriteAllText(path, $$"""{ {{Model}}, "train_tokenizer": { "vocab_size": 320, "documents": 20 }, "data": [ { "altiplano": "stories" } ], {{settings}} }""");
        PunaException e = Assert.Throws<PunaException>(() => new PretrainRecipe().Run(new RecipeRequest(path, Path.Combine(_folder, "bad")), SilentReport.Instance, TestContext.Current.CancellationToken));
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.False(File.Exists(Path.Combine(_folder, "bad", "log.jsonl")) || Directory.Exists(Path.Combine(_folder, "bad", "checkpoints")));
    }

    /// <summary>What would fail at a late step only is said before the first.</summary>
    [Theory]
    [InlineData(""" "stages": [{ "from_step": 5, "row_tokens": 96 }] """, "row_tokens: expected at most the context of 64 tokens, got 96 (from step 5 on)")]
    [InlineData(""" "stages": [{ "from_step": 5, "context": 40 }] """, "row_tokens: expected at most the context of 40 tokens, got 48 (from step 5 on)")]
    [InlineData(""" "stages": [{ "from_step": 5, "rope_theta": -1 }] """, "rope theta: expected a positive number")]
    [InlineData(""" "sample_every": 6, "sample_prompts": ["The", "LONG"] """, "sample_prompts: expected 1 to 63 tokens, fewer than the context at step 6, got ")]
    [InlineData(""" "sample_every": 10, "sample_prompts": ["LONG"] """, "sample_prompts: expected 1 to 63 tokens, fewer than the context at step 8, got ")]
    [InlineData(""" "sample_every": 6, "sample_prompts": ["LONG"], "stages": [{ "from_step": 6, "context": 96 }] """, "sample_prompts: expected 1 to 63 tokens, fewer than the context at step 6, got ")]
    public void WhatALateStepWouldFailAtIsSaidBeforeTheFirst(string settings, string beginning)
    {
        PunaException e = Assert.Throws<PunaException>(() => Run(Late(settings), "late"));
        Assert.StartsWith(beginning, e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "late", "log.jsonl")));
    }

    /// <summary>A beginning that fits the context of the steps that it is continued at is no fault.</summary>
    [Fact]
    public void APromptMayNeedTheContextOfALaterStage() =>
        Assert.Single(File.ReadAllLines(Path.Combine(Run(Late(""" "sample_every": 6, "sample_prompts": ["LONG"], "stages": [{ "from_step": 5, "context": 256 }], "steps": 6 """), "late"), "samples.jsonl")));

    [Fact]
    public void ConversationsAreSourcesToo()
    {
        string path = Path.Combine(_folder, "chats.json");
        File.WriteAllText(path, $$"""
            { {{Model}}, "train_tokenizer": { "vocab_size": 320, "documents": 20 }, "steps": 2, "row_tokens": 48, "batch_rows": 2,
              "data": [ { "altiplano": "stories", "weight": 3 }, { "altiplano": "chats" } ] }
            """);
        Assert.Equal(2, Losses(Run(path, "chats")).Length);
    }

    /// <summary>A config with <c>LONG</c> made a text of more tokens than a context of 64 and fewer than one of 256.</summary>
    private string Late(string settings)
    {
        string path = Path.Combine(_folder, "late.json"), steps = settings.Contains("\"steps\"", StringComparison.Ordinal) ? "" : "\"steps\": 8,";
        File.WriteAllText(path, $$"""
            { {{Model}}, "train_tokenizer": { "vocab_size": 320, "documents": 20 }, "data": [ { "altiplano": "stories" } ], {{steps}} "row_tokens": 48, "batch_rows": 2, "checkpoint_every": 2,
              {{settings.Replace("LONG", new string('#', 100), StringComparison.Ordinal)}} }
            """);
        return path;
    }

    private static double[] Losses(string output) =>
        [.. File.ReadLines(Path.Combine(output, "log.jsonl")).Select(static l => JsonDocument.Parse(l).RootElement.GetProperty("loss").GetDouble())];

    private static void AssertSame(string expected, string actual)
    {
        foreach (string file in new[] { "log.jsonl", "log.csv", "samples.jsonl", "loss.svg", "README.md", "model/model.safetensors", "model/tokenizer.json", "checkpoints/step-00000008/optimizer.safetensors", "checkpoints/step-00000008/trainer.json" })
        {
            Assert.True(Hash(Path.Combine(expected, file)) == Hash(Path.Combine(actual, file)), file);
        }
    }

    /// <summary>The tokens of every step of a run, and those of its held-out rows at the end.</summary>
    private static int[][] Tokens(string config)
    {
        using PretrainSetup setup = PretrainSetup.Create(new RecipeRequest(config, Path.Combine(Path.GetDirectoryName(config)!, "untied")), SilentReport.Instance, default);
        var data = new TrainingData(setup.Config, setup.Sources, setup.Tokenizer);
        var batch = new TrainingBatch();
        return [.. Enumerable.Range(0, 8).Select(_ => Step()), [.. data.Validation().SelectMany(static b => b.Batch.Tokens.ToArray())]];

        int[] Step()
        {
            data.Fill([batch]);
            return batch.Batch.Tokens.ToArray();
        }
    }

    private static void Stop(string config, string output, int after)
    {
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => new PretrainRecipe().Run(new RecipeRequest(config, output), new StopAfter(after, stop), stop.Token));
    }

    private static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));

    private string Run(string config, string name)
    {
        string output = Path.Combine(_folder, name);
        string text = new PretrainRecipe().Run(new RecipeRequest(config, output, Threads: 2), SilentReport.Instance, TestContext.Current.CancellationToken);
        Assert.Contains("parameters", text, StringComparison.Ordinal);
        return output;
    }

    private string Config(int seed = 1, string extra = "", string name = "config.json", string model = Model)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, $$"""
            {
              {{model}}, {{extra}}
              "train_tokenizer": { "vocab_size": 320, "documents": 20 },
              "data": [ { "altiplano": "stories" } ],
              "steps": 8, "row_tokens": 48, "batch_rows": 2, "rate": { "peak": 1e-2, "warmup": 2 }, "seed": {{seed}},
              "checkpoint_every": 2, "validate_every": 4, "validation_rows": 2, "sample_every": 4
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

    /// <summary>Does something at the first line that begins one way and comes behind another.</summary>
    private sealed class OnLine(string behind, string beginning, Action action) : IRecipeReport
    {
        private bool _isBehind;

        public void Progress(string stage, long done, long? total)
        {
        }

        public void Line(string text)
        {
            if (_isBehind && text.StartsWith(beginning, StringComparison.Ordinal))
            {
                action();
            }

            _isBehind |= text.StartsWith(behind, StringComparison.Ordinal);
        }
    }

    private sealed class Lines : IRecipeReport
    {
        public List<string> Heard { get; } = [];

        public void Progress(string stage, long done, long? total)
        {
        }

        public void Line(string text) => Heard.Add(text);
    }
}
