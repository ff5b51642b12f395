using Puna.Runtime.Constraints;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Runtime.Tests.Constraints;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text;

namespace Puna.Runtime.Tests.Serving;

/// <summary>Steps that fail or do not end. A constraint, which runs on the engine's thread, is what makes them.</summary>
public sealed class EngineFaultTests : IDisposable
{
    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.TrainedTiny);
    private readonly CpuOps _ops = new(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _ops.Dispose();
        _model.Dispose();
    }

    [Fact]
    public async Task WhatHangsFailsWhatIsUnderWayAndNothingElse()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { StallTimeout = TimeSpan.FromMilliseconds(300) });
        GenerationRequest request = new() { Prompt = [1, 5, 9], MaxTokens = 400, Sampling = SamplingOptions.Greedy, IgnoreStopIds = true };
        using var gate = new ManualResetEventSlim();

        // An engine that rests is well, however long.
        await Task.Delay(600, Cancel);
        Assert.True(engine.IsWell);
        GenerationHandle other = engine.Submit(request, Cancel);
        await other.Events.ReadAsync(Cancel);
        Assert.True(engine.IsWell);
        GenerationHandle hanging = engine.Submit(request with { Constraint = new Acting(() => gate.Wait(Cancel)) }, Cancel);
        foreach (GenerationHandle handle in (GenerationHandle[])[hanging, other])
        {
            EngineFaultException fault = await Assert.ThrowsAsync<EngineFaultException>(() => Read(handle));
            Assert.Equal("engine: a step has taken longer than 0.3 s", fault.Message);
        }

        Assert.False(engine.IsWell);
        Assert.Throws<EngineFaultException>(() => engine.Submit(request, Cancel));
        await Assert.ThrowsAsync<EngineFaultException>(() => engine.EmbedAsync([[1]], EmbeddingPooling.Mean, Cancel));

        // Once the step ends, all is as before, and nothing is left of what failed.
        gate.Set();
        while (!engine.IsWell)
        {
            await Task.Delay(5, Cancel);
        }

        Assert.Equal(3, (await Read(engine.Submit(request with { MaxTokens = 3 }, Cancel))).Count);
        Assert.Equal((0, 0), (engine.Statistics().Running, engine.Statistics().Waiting));
    }

    [Fact]
    public async Task AnErrorOfWhatARequestBroughtFailsThatRequestOnly()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        GenerationRequest request = new() { Prompt = [1, 5, 9], MaxTokens = 30, Sampling = SamplingOptions.Greedy, IgnoreStopIds = true };
        GenerationHandle broken = engine.Submit(request with { Constraint = new Acting(static () => throw new InvalidOperationException("oh")) }, Cancel), other = engine.Submit(request, Cancel);
        Assert.Equal("request: failed by an error: oh", (await Assert.ThrowsAsync<EngineFaultException>(() => Read(broken))).Message);
        Assert.Equal(30, (await Read(other)).Count);
        Assert.True(engine.IsWell);
    }

    [Fact]
    public async Task AMaskOfTooManyStepsFailsItsRequestBeforeATokenAndNoOther()
    {
        Tokenizer tokenizer = _model.Tokenizer!;
        byte[][] tokens = [.. Enumerable.Range(0, Math.Min(tokenizer.VocabularySize, (int)_model.Llama.Output.Weight.Out)).Select(t => tokenizer.IsSpecial(t) ? [] : tokenizer.TokenBytes(t).ToArray())];
        var vocabulary = VocabularyTrie.Create(tokens, [.. _model.StopIds.Where(id => id < tokens.Length)]);
        JsonSchemaConstraint Compile(int most) =>
            JsonSchemaConstraint.Compile(ConstraintStepsTests.Hostile(100), vocabulary, ConstraintLimits.Default with { MaxMaskSteps = most, MaxTextSteps = long.MaxValue / 2 }, Cancel);

        await using Engine engine = Engine.Start(_model, _ops);
        GenerationRequest request = new() { Prompt = [1, 5, 9], MaxTokens = 30, Sampling = SamplingOptions.Greedy, IgnoreStopIds = true };
        int[] alone = [.. (await Read(engine.Submit(request, Cancel))).Select(static e => e.Token)];
        GenerationHandle other = engine.Submit(request, Cancel), costly = engine.Submit(request with { Constraint = Compile(200), Choices = 2 }, Cancel);
        Assert.StartsWith("constraint: expected masks of at most 200 steps each", (await Assert.ThrowsAsync<PunaException>(() => Read(costly))).Message, StringComparison.Ordinal);
        Assert.Equal(0, costly.Usage.GeneratedTokens);
        Assert.Equal(alone, (await Read(other)).Select(static e => e.Token));
        Assert.True(engine.IsWell);

        // It is the limit that refused it.
        Assert.Equal(3, (await Read(engine.Submit(request with { Constraint = Compile(int.MaxValue), MaxTokens = 3 }, Cancel))).Count);
    }

    [Fact]
    public async Task AConstraintThatCannotBeginFailsItsRequestOnly()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        GenerationRequest request = new() { Prompt = [1, 5, 9], MaxTokens = 30, Sampling = SamplingOptions.Greedy, IgnoreStopIds = true };
        GenerationHandle broken = engine.Submit(request with { Constraint = new Unwilling(), Choices = 2 }, Cancel), other = engine.Submit(request, Cancel);
        Assert.Equal("request: failed by an error: no", (await Assert.ThrowsAsync<EngineFaultException>(() => Read(broken))).Message);
        Assert.Equal(30, (await Read(other)).Count);
        Assert.True(engine.IsWell);
    }

    [Fact]
    public async Task PassesThatFailFailTheirRequestsAndTheThirdInARowEndsTheEngine()
    {
        LanguageModel model = LanguageModel.Open(TestFiles.TrainedTiny);
        await using Engine engine = Engine.Start(model, _ops);
        model.Dispose();
        GenerationRequest request = new() { Prompt = [1, 5, 9], MaxTokens = 3 };
        for (int i = 0; i < 3; i++)
        {
            Assert.True(engine.IsWell);
            Assert.StartsWith("engine: a pass failed: ", (await Assert.ThrowsAsync<EngineFaultException>(() => Read(engine.Submit(request, Cancel)))).Message, StringComparison.Ordinal);
        }

        while (engine.IsWell)
        {
            await Task.Delay(5, Cancel);
        }

        Assert.Throws<EngineBusyException>(() => engine.Submit(request, Cancel));
    }

    [Fact]
    public async Task ADraftThatFailsCostsTheGuessesAndNothingElse()
    {
        LanguageModel draft = LanguageModel.Open(TestFiles.TrainedTiny);
        await using Engine engine = Engine.Start(_model, _ops, draft: draft);
        GenerationRequest request = new() { Prompt = [1, 5, 9], MaxTokens = 20, Sampling = SamplingOptions.Greedy, IgnoreStopIds = true };
        GenerationHandle helped = engine.Submit(request, Cancel);
        List<TokenEvent> expected = await Read(helped);
        Assert.NotEqual(0, helped.Usage.GuessedTokens);
        draft.Dispose();
        GenerationHandle alone = engine.Submit(request, Cancel);
        Assert.Equal(expected.Select(static e => e.Token), (await Read(alone)).Select(static e => e.Token));
        Assert.Equal(0, alone.Usage.GuessedTokens);
        Assert.True(engine.IsWell);
    }

    [Fact]
    public async Task AStepThatHangsDoesNotKeepTheEngineFromEnding()
    {
        Engine engine = Engine.Start(_model, _ops, new EngineOptions { StallTimeout = TimeSpan.FromMilliseconds(300) });
        using var gate = new ManualResetEventSlim();
        GenerationHandle hanging = engine.Submit(new GenerationRequest { Prompt = [1, 5, 9], Constraint = new Acting(() => gate.Wait(Cancel)) }, Cancel);
        await Task.Delay(50, Cancel);
        await engine.DrainAsync(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAsync<EngineFaultException>(() => Read(hanging));
        gate.Set();

        // Now the thread ends too, before what it computes with is disposed.
        await engine.DisposeAsync();
    }

    [Fact]
    public async Task EmbeddingsCountForTheirKey()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { KeyLimit = 1 });
        using GenerationHandle handle = engine.Submit(new GenerationRequest { Prompt = [1], MaxTokens = 400, IgnoreStopIds = true, Key = "a" }, Cancel);
        EngineBusyException busy = await Assert.ThrowsAsync<EngineBusyException>(() => engine.EmbedAsync([[1]], EmbeddingPooling.Mean, Cancel, "a"));
        Assert.Equal(EngineBusyReason.KeyLimit, busy.Reason);
        Assert.Single(await engine.EmbedAsync([[1]], EmbeddingPooling.Mean, Cancel, "b"));
    }

    [Fact]
    public async Task StepsAreCountedByTheirSize()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        await Read(engine.Submit(new GenerationRequest { Prompt = [1, .. Enumerable.Repeat(5, 19)], MaxTokens = 4, IgnoreStopIds = true, Sampling = SamplingOptions.Greedy }, Cancel));
        EngineStatistics counted = engine.Statistics();

        // 20 tokens of the prompt, then one at a time; the last token drawn is not read.
        Assert.Equal((3, 1, 4, 23), (counted.StepSizes[0], counted.StepSizes[3], counted.StepSizes.Sum(), counted.StepTokens));
    }

    private static async Task<List<TokenEvent>> Read(GenerationHandle handle)
    {
        var events = new List<TokenEvent>();
        await foreach (TokenEvent e in handle.Events.ReadAllAsync(Cancel))
        {
            events.Add(e);
        }

        return events;
    }

    /// <summary>Does not begin.</summary>
    private sealed class Unwilling : ITokenConstraint
    {
        public ConstraintState Start() => throw new InvalidOperationException("no");
    }

    /// <summary>Allows everything, and does something first.</summary>
    private sealed class Acting(Action act) : ITokenConstraint
    {
        public ConstraintState Start() => new State(act);

        private sealed class State(Action act) : ConstraintState
        {
            public override bool IsAccepting => true;

            public override bool IsFinished => false;

            public override void FillMask(Span<uint> mask)
            {
                act();
                mask.Fill(uint.MaxValue);
            }

            public override bool TryAccept(int token) => true;

            public override ConstraintState Clone() => new State(act);
        }
    }
}
