using System.Text.Json;
using Puna.Evaluation;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Evaluation.Tests;

public sealed class PerplexityTests
{
    [Theory]
    [InlineData("", "bf16 weights (model.safetensors)")]
    [InlineData("q8_0.gguf", "q8_0")]
    [InlineData("q4_0.gguf", "q4_0")]
    [InlineData("q4_k_m.gguf", "q4_k_m")]
    public void TrainedModelScoresAsRecorded(string file, string type)
    {
        // The q8_0 file is the embedded model, byte for byte: a clone without the shared goldens scores it too.
        string[] lines = File.ReadAllLines(TestFiles.Golden("trained-tiny", "test.txt"));
        using JsonDocument record = JsonDocument.Parse(File.ReadAllText(TestFiles.Golden("trained-tiny", "perplexity.json")));
        using LanguageModel model = LanguageModel.Open(
            file.Length == 0 ? TestFiles.GoldenModel("trained-tiny") : file == "q8_0.gguf" ? TestFiles.TrainedTiny : TestFiles.Golden("trained-tiny", file));
        using var ops = new CpuOps(2);
        PerplexityResult result = new Perplexity(model, ops, DType.F32).Score(lines, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(record.RootElement.GetProperty("tokens").GetInt64(), result.Tokens);
        double expected = record.RootElement.GetProperty("types").GetProperty(type).GetProperty("mean_nll_float32").GetDouble();
        // 0.1 % is allowed. Float types are the same arithmetic in another order, Q8_0 rounds inputs to 15 bits: less than a hundredth of that. 8-bit inputs stay below a tenth.
        Assert.InRange(Math.Abs(result.MeanNll / expected - 1), 0, type.StartsWith("q4", StringComparison.Ordinal) ? 1e-4 : 1e-5);
    }

    [Theory]
    [InlineData("", DType.F16, 1e-4)]
    [InlineData("", DType.Q8_0, 2e-3)]
    [InlineData("q4_0.gguf", DType.F16, 1e-4)]
    [InlineData("q4_0.gguf", DType.Q8_0, 2e-3)]
    public void ARoundedCacheCostsNextToNothing(string file, DType kv, double bound)
    {
        // A fifth of the texts, so that the tests stay quick.
        string[] lines = File.ReadAllLines(TestFiles.Golden("trained-tiny", "test.txt"))[..40];
        using LanguageModel model = LanguageModel.Open(file.Length == 0 ? TestFiles.GoldenModel("trained-tiny") : TestFiles.Golden("trained-tiny", file));
        using var ops = new CpuOps(2);
        double exact = new Perplexity(model, ops, DType.F32).Score(lines, cancel: TestContext.Current.CancellationToken).MeanNll;
        double rounded = new Perplexity(model, ops, kv).Score(lines, cancel: TestContext.Current.CancellationToken).MeanNll;
        // Rounding errors of keys and values are of either sign, so that a mean over many tokens moves by less than their size, 2^-11 and 2^-8.
        Assert.NotEqual(exact, rounded);
        Assert.InRange(Math.Abs((rounded / exact) - 1), 0, bound);
    }

    [Fact]
    public void CancellingLeavesTheDeviceAsItWas()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.TrainedTiny);
        using var ops = new CpuOps(1);
        using var cancel = new CancellationTokenSource();
        var perplexity = new Perplexity(model, ops);
        PerplexityResult whole = perplexity.Score(["The storm came."], cancel: TestContext.Current.CancellationToken);
        Assert.Throws<OperationCanceledException>(() => perplexity.Score(["The storm came.", "It went."], _ => cancel.Cancel(), cancel.Token));
        Assert.Equal(default, ops.Mark());
        Assert.Equal(whole, perplexity.Score(["The storm came."], cancel: TestContext.Current.CancellationToken));
    }

    [Fact]
    public void ALongTextIsReadInWindows()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.TrainedTiny);
        using var ops = new CpuOps(2);
        var perplexity = new Perplexity(model, ops);
        string text = string.Join(' ', Enumerable.Repeat("Rosa walked to the village with her llama.", 120));
        int tokens = model.Tokenizer!.Encode(text).Length;
        Assert.True(tokens > model.Llama.Config.ContextLength);
        var calls = new List<long>();
        PerplexityResult result = perplexity.Score(["", text, "The storm came."], r => calls.Add(r.Texts), TestContext.Current.CancellationToken);
        Assert.Equal(2, result.Texts);
        // Every token but BOS is predicted once, and EOS of both texts.
        Assert.Equal(tokens + 1 + model.Tokenizer.Encode("The storm came.").Length + 1, result.Tokens);
        Assert.Equal([1L, 2L], calls);
        Assert.InRange(result.MeanNll, 0, Math.Log(model.Llama.Config.Vocab));
        Assert.Equal(Math.Exp(result.MeanNll), result.Perplexity);
    }
}
