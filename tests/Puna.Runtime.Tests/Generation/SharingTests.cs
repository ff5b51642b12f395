using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Generation;

/// <summary>Sessions that share a model and a device, and what is closed too early.</summary>
public sealed class SharingTests : IDisposable
{
    private static readonly GenerationOptions _drawn = new() { MaxTokens = 40, StopIds = [], Sampling = new SamplingOptions { Temperature = 1, Seed = 11 } };

    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.TrainedTiny);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void ASeedGivesTheSameTokensOnAnyNumberOfThreads()
    {
        using var one = new CpuOps(1);
        using var three = new CpuOps(3);
        int[] tokens = Run(one, "The storm", 11);
        Assert.Equal(40, tokens.Length);
        Assert.Equal(tokens, Run(three, "The storm", 11));
    }

    [Fact]
    public void SessionsOnSeveralThreadsShareAModelAndADevice()
    {
        using var ops = new CpuOps(2);
        string[] prompts = ["The storm", "Once upon a time", "One morning, Rosa", "Pedro had 7 bags"];
        int[][] alone = [.. prompts.Select((p, i) => Run(ops, p, i))];
        var together = new int[prompts.Length][];
        Parallel.For(0, prompts.Length, new ParallelOptions { MaxDegreeOfParallelism = prompts.Length }, i => together[i] = Run(ops, prompts[i], i));
        Assert.Equal(alone, together);
    }

    [Fact]
    public void ATextThatWasLeftBehindDoesNotGoOn()
    {
        using var ops = new CpuOps(1);
        using var session = new Session(_model, ops);
        using IEnumerator<GenerationStep> first = Steps(session, "The storm").GetEnumerator();
        Assert.True(first.MoveNext());
        int[] second = [.. Steps(session, "Once upon a time").Select(s => s.Token)];
        Assert.Throws<InvalidOperationException>(() => first.MoveNext());
        Assert.Equal(second, Steps(session, "Once upon a time").Select(s => s.Token));
    }

    [Fact]
    public void AnEnumerationMayBeLeftAndBegunAgain()
    {
        using var ops = new CpuOps(1);
        using var session = new Session(_model, ops);
        IEnumerable<GenerationStep> steps = Steps(session, "The storm");
        int[] start = [.. steps.Take(5).Select(s => s.Token)];
        int[] whole = [.. steps.Select(s => s.Token)];
        Assert.Equal(start, whole[..5]);
        Assert.Equal(40, whole.Length);
    }

    [Fact]
    public void WhatIsClosedInTheMiddleIsAClearErrorAtTheNextToken()
    {
        foreach (string closed in (string[])["session", "device", "model"])
        {
            var model = LanguageModel.Open(TestFiles.TrainedTiny);
            var ops = new CpuOps(2);
            var session = new Session(model, ops);
            using IEnumerator<GenerationStep> steps = Steps(session, "The storm").GetEnumerator();
            Assert.True(steps.MoveNext());
            (closed switch { "session" => session, "device" => ops, _ => (IDisposable)model }).Dispose();
            Assert.Throws<ObjectDisposedException>(() => steps.MoveNext());
            Assert.Throws<ObjectDisposedException>(() => Steps(session, "Once").Count());
            // Any order, and twice, is fine.
            model.Dispose();
            ops.Dispose();
            session.Dispose();
            session.Dispose();
        }
    }

    [Fact]
    public void AModelClosedDuringAPassStaysUntilThePassEnds()
    {
        var model = LanguageModel.Open(TestFiles.TrainedTiny);
        Storage storage = model.Llama.Norm.Master.Storage;
        model.EnterPass();
        model.EnterPass();
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(model.EnterPass);
        model.ExitPass();
        Assert.NotEqual(0, storage.Address);
        model.ExitPass();
        Assert.Equal(0, storage.Address);
    }

    [Fact]
    public void LogProbabilitiesCostNoScratchPerToken()
    {
        using var ops = new CpuOps(1);
        using var session = new Session(_model, ops);
        GenerationOptions options = _drawn with { Sampling = _drawn.Sampling with { LogProbs = 3 } };
        int[] ids = _model.Tokenizer!.EncodePrompt("The storm");
        long Allocated(int tokens)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Equal(tokens, session.Generate(ids, options with { MaxTokens = tokens }, TestContext.Current.CancellationToken).Count());
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        _ = Allocated(300);
        // The text, the three entries and their list; working memory for the vocabulary alone would be 64 kB.
        Assert.InRange((Allocated(300) - Allocated(100)) / 200, 0, 600);
    }

    private IEnumerable<GenerationStep> Steps(Session session, string prompt) =>
        session.Generate(_model.Tokenizer!.EncodePrompt(prompt), _drawn, TestContext.Current.CancellationToken);

    private int[] Run(CpuOps ops, string prompt, long seed)
    {
        using var session = new Session(_model, ops);
        return [.. session.Generate(_model.Tokenizer!.EncodePrompt(prompt), _drawn with { Sampling = _drawn.Sampling with { Seed = seed } }, TestContext.Current.CancellationToken)
            .Select(s => s.Token)];
    }
}
