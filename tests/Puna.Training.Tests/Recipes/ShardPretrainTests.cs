using System.Security.Cryptography;
using System.Text.Json;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text;
using Puna.Training.Checkpoints;
using Puna.Training.Data;
using Puna.Training.Data.Altiplano;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Pretraining;
using Puna.Training.Tests.Data;

namespace Puna.Training.Tests.Recipes;

/// <summary>From text files to shards to a model: what is trained on is what the files say, and the place in the data is part of a checkpoint.</summary>
public sealed class ShardPretrainTests : IDisposable
{
    private const int Steps = 8;
    private const int Seed = 5;
    private static readonly string _tokenizerPath = TestFiles.Fixture("tokenizers", "tiny-byte-bpe");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ARunOverShardsLearnsAndSaysWhatItReadOfEachGroup()
    {
        Prepare();
        string output = Run("run");
        double[] losses = [.. File.ReadLines(Path.Combine(output, "log.jsonl")).Select(static l => JsonDocument.Parse(l).RootElement.GetProperty("loss").GetDouble())];
        Assert.Equal(Steps, losses.Length);
        Assert.InRange(losses[0], Math.Log(Vocabulary()) - 0.3, Math.Log(Vocabulary()) + 0.3);
        Assert.True(losses[^1] < losses[0] - 0.3, $"{losses[0]} -> {losses[^1]}");

        // The held-back documents are measured, not those trained on: their loss is of their tokens, and bits per byte of their text.
        JsonElement last = JsonDocument.Parse(File.ReadLines(Path.Combine(output, "log.jsonl")).Last()).RootElement;
        Assert.InRange(last.GetProperty("validation_loss").GetDouble(), 1, Math.Log(Vocabulary()));
        Assert.Contains("shards shards", File.ReadAllText(Path.Combine(output, "README.md")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void AnInterruptedRunOverShardsEndsWithTheSameBytes(int after)
    {
        Prepare();
        string whole = Run("whole");
        string output = _folder.File("stopped");
        using (var stop = new CancellationTokenSource())
        {
            Assert.ThrowsAny<OperationCanceledException>(() => new PretrainRecipe().Run(new RecipeRequest(_folder.File("pretrain.json"), output, Threads: 1), new StopAfter(after, stop), stop.Token));
        }

        new PretrainRecipe().Run(new RecipeRequest(_folder.File("pretrain.json"), output, Resume: true, Threads: 3), SilentReport.Instance, TestContext.Current.CancellationToken);
        foreach (string file in new[] { "log.jsonl", "loss.svg", "README.md", "model/model.safetensors", "checkpoints/step-00000008/optimizer.safetensors", "checkpoints/step-00000008/trainer.json" })
        {
            Assert.True(Hash(Path.Combine(whole, file)) == Hash(Path.Combine(output, file)), file);
        }
    }

    /// <summary>The state in a checkpoint, put into a fresh chain of shards, mixture and rows, gives the rows that a chain gives that was read from the start.</summary>
    [Fact]
    public void ACheckpointKnowsWhereTheDataStands()
    {
        Prepare();
        string output = Run("run");
        foreach (int step in new[] { 4, 8 })
        {
            TrainerState state = TrainingCheckpoints.ReadState(Path.Combine(output, "checkpoints", $"step-{step:00000000}"));
            using Dataset one = Dataset.Open(_folder.File("shards")), other = Dataset.Open(_folder.File("shards"));
            var resumed = new RowPacker(one.Training(Seed), 48, PackingMode.ConcatSplit) { State = state.Data };
            var straight = new RowPacker(other.Training(Seed), 48, PackingMode.ConcatSplit);
            straight.Skip(2 * step);
            TrainingBatch expected = new(), got = new();
            straight.Fill(expected, 5);
            resumed.Fill(got, 5);
            Assert.Equal(2 * step + 5, resumed.Rows);
            Assert.Equal(expected.Batch.Tokens.ToArray(), got.Batch.Tokens.ToArray());
        }
    }

    [Fact]
    public void OtherShardsThanTheRunBeganWithAreRefused()
    {
        Prepare();
        string output = _folder.File("stopped");
        using (var stop = new CancellationTokenSource())
        {
            Assert.ThrowsAny<OperationCanceledException>(() => new PretrainRecipe().Run(new RecipeRequest(_folder.File("pretrain.json"), output), new StopAfter(4, stop), stop.Token));
        }

        Directory.Delete(_folder.File("shards"), recursive: true);
        Prepare(stories: 59);
        PunaException e = Assert.Throws<PunaException>(() => new PretrainRecipe().Run(
            new RecipeRequest(_folder.File("pretrain.json"), output, Resume: true), SilentReport.Instance, TestContext.Current.CancellationToken));
        Assert.StartsWith("state of ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void ShardsOfAnotherTokenizerAreRefused()
    {
        Prepare();
        File.WriteAllText(_folder.File("pretrain.json"), File.ReadAllText(_folder.File("pretrain.json")).Replace("tiny-byte-bpe", "tiny-spm", StringComparison.Ordinal));
        PunaException e = Assert.Throws<PunaException>(() => Run("run"));
        Assert.Contains("got another", e.Message, StringComparison.Ordinal);
    }

    /// <summary>With the defaults of both recipes nothing is held back and 16 rows are to be: said before a step is done, not behind the last.</summary>
    [Fact]
    public void AValidationWithoutHeldOutDocumentsIsRefusedBeforeTheFirstStep()
    {
        Prepare(share: "");
        PunaException e = Assert.Throws<PunaException>(() => Run("run"));
        Assert.Equal("validation_rows: expected 0, or documents that were held back (validation_share of the recipe data), got 2 and none held back in shards shards", e.Message);
        Assert.False(File.Exists(_folder.File("run/log.jsonl")));

        File.WriteAllText(_folder.File("pretrain.json"), File.ReadAllText(_folder.File("pretrain.json")).Replace("\"validation_rows\": 2", "\"validation_rows\": 0", StringComparison.Ordinal));
        JsonElement last = JsonDocument.Parse(File.ReadLines(Path.Combine(Run("run"), "log.jsonl")).Last()).RootElement;
        Assert.Equal(Steps, last.GetProperty("step").GetInt32());
        Assert.False(last.TryGetProperty("validation_loss", out _));
    }

    private static int Vocabulary() => TokenizerLoader.Open(_tokenizerPath).VocabularySize;

    private static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));

    /// <summary>Stories in two groups, one of them packed, a tenth held back; and the config of a run over them.</summary>
    private void Prepare(int stories = 60, string share = ", \"validation_share\": 0.1")
    {
        Directory.CreateDirectory(_folder.File("texts"));
        string[] lines = [.. Enumerable.Range(0, stories).Select(static i => JsonSerializer.Serialize(new Dictionary<string, string>
        {
            ["text"] = StoryTeller.Tell(1, AltiplanoSplit.Index(SplitPart.Train, i)).Text,
            ["source"] = i % 3 == 0 ? "plain" : "valley",
        }))];
        File.WriteAllLines(_folder.File("texts/a.jsonl"), lines[..30]);
        using (var packed = new System.IO.Compression.GZipStream(File.Create(_folder.File("texts/b.jsonl.gz")), System.IO.Compression.CompressionLevel.Fastest))
        using (var writer = new StreamWriter(packed))
        {
            foreach (string line in lines[30..])
            {
                writer.Write(line + "\n");
            }
        }

        string tokenizer = JsonSerializer.Serialize(_tokenizerPath);
        File.WriteAllText(_folder.File("data.json"), $$"""
            { "tokenizer": {{tokenizer}}, "inputs": [{ "path": "texts" }], "weights": { "plain": 2, "valley": 1 }, "shard_tokens": 2000{{share}} }
            """);
        new DataRecipe().Run(new RecipeRequest(_folder.File("data.json"), _folder.File("shards"), Threads: 2), SilentReport.Instance, TestContext.Current.CancellationToken);
        File.WriteAllText(_folder.File("pretrain.json"), $$"""
            {
              "model": { "hidden": 32, "ffn": 48, "layers": 2, "heads": 2, "kv_heads": 1, "context": 64 }, "tokenizer": {{tokenizer}},
              "data": [ { "shards": "shards" } ], "steps": {{Steps}}, "row_tokens": 48, "batch_rows": 2, "rate": { "peak": 1e-2, "warmup": 2 }, "seed": {{Seed}},
              "checkpoint_every": 2, "keep_checkpoints": 4, "validate_every": 4, "validation_rows": 2
            }
            """);
    }

    private string Run(string name)
    {
        string output = _folder.File(name);
        new PretrainRecipe().Run(new RecipeRequest(_folder.File("pretrain.json"), output, Threads: 2), SilentReport.Instance, TestContext.Current.CancellationToken);
        return output;
    }

    private sealed class StopAfter(int steps, CancellationTokenSource stop) : IRecipeReport
    {
        public void Progress(string stage, long done, long? total)
        {
            if (total == Steps && done == steps)
            {
                stop.Cancel();
            }
        }

        public void Line(string text)
        {
        }
    }
}
