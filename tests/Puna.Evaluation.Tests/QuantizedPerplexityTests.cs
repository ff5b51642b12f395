using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Quantization;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Evaluation.Tests;

/// <summary>
/// The perplexity of a quantised model as it runs (packed, integer products, its usual cache) against the same weights decoded to float32 and multiplied as float32, for every
/// type the quantiser writes. The model is the small trained one that every clone has, its texts those recorded with it and generated ones.
/// </summary>
public sealed class QuantizedPerplexityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-perplexity-").FullName;
    private readonly CpuOps _ops = new(2);

    /// <summary>One mix for each type of blocks, the plainest.</summary>
    public static TheoryData<FileType> Types => [.. FileTypes.All.Where(type => type.DefaultType().IsBlock()).DistinctBy(type => type.DefaultType())];

    public void Dispose()
    {
        _ops.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void EveryTypeOfTheQuantiserIsThere() =>
        Assert.Equal([DType.Q4_0, DType.Q4_1, DType.Q8_0, DType.Q5_0, DType.Q5_1, DType.Q2_K, DType.Q3_K, DType.Q4_K, DType.Q5_K, DType.Q6_K, DType.IQ4_NL], Types.Select(row => row.Data.DefaultType()));

    [Theory]
    [MemberData(nameof(Types))]
    public void ItIsThatOfTheDecodedWeights(FileType type)
    {
        string plain = Convert(TestFiles.TrainedTiny, "plain", FileType.F32);
        string quantised = Convert(plain, "quantised", type);
        string decoded = Convert(quantised, "decoded", FileType.F32);
        using LanguageModel model = LanguageModel.Open(quantised, ops: _ops);
        using LanguageModel reference = LanguageModel.Open(decoded, ops: _ops);
        Assert.All(model.Llama.Blocks, block => Assert.Equal(type.DefaultType(), block.FeedForward.W1.Weight.DType));
        Assert.All(reference.Llama.Blocks, block => Assert.Equal(DType.F32, block.FeedForward.W1.Weight.DType));
        Assert.Equal((DType.F16, DType.F32), (model.Llama.CacheType, reference.Llama.CacheType));

        // Some 1,000 to 2,000 tokens each. The generated ones ramble, so that the model is surprised where it never is by its own stories.
        string[] recorded = File.ReadAllLines(TestFiles.Golden("trained-tiny", "test.txt"));
        string[][] corpora = [new GeneratedTexts(recorded, seed: 20240726).Take(28), recorded[..12]];
        foreach (string[] texts in corpora)
        {
            PerplexityResult result = new Perplexity(model, _ops).Score(texts, cancel: TestContext.Current.CancellationToken);
            PerplexityResult exact = new Perplexity(reference, _ops).Score(texts, cancel: TestContext.Current.CancellationToken);
            Assert.InRange(exact.Tokens, 900, 3000);
            Assert.Equal(exact.Tokens, result.Tokens);

            // What is asked for. Another code or scale in a type would cost whole percents; equal numbers would mean that nothing was rounded and nothing tested.
            Assert.NotEqual(exact.Perplexity, result.Perplexity);
            Assert.InRange(Math.Abs((result.Perplexity / exact.Perplexity) - 1), 0, 1e-3);
            TestContext.Current.SendDiagnosticMessage($"{type} {texts.Length} texts {result.Tokens} tokens: {exact.Perplexity:F4} {(result.Perplexity / exact.Perplexity) - 1:E2}");
        }
    }

    [Fact]
    public void TheTextsFollowFromTheSeed()
    {
        string[] samples = ["a b c a b d", "a b e", "b c"];
        string[] texts = new GeneratedTexts(samples, 1).Take(50);
        Assert.Equal(texts, new GeneratedTexts(samples, 1).Take(50));
        Assert.NotEqual(texts, new GeneratedTexts(samples, 2).Take(50));
        string[] possible = ["a b c", "a b c a b c", "a b c a b d", "a b c a b e", "a b d", "a b e", "b c", "b c a b c", "b c a b d", "b c a b e"];
        Assert.All(texts.Where(text => text.Length < 12), text => Assert.Contains(text, possible));
        Assert.All(samples, sample => Assert.Contains(sample, texts));
        Assert.Contains("a b d", texts);
    }

    private string Convert(string from, string name, FileType type)
    {
        string to = Path.Combine(_folder, name + ".gguf");
        using Checkpoint source = Checkpoint.Open(from);
        CheckpointConverter.Convert(source, to, new ConversionOptions { Format = CheckpointFormat.Gguf, Type = type, Threads = 2 });
        return to;
    }
}
