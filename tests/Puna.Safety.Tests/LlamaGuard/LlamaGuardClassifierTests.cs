using Puna.Runtime.Filtering;
using Puna.Runtime.Generation;
using Puna.Safety.LlamaGuard;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Safety.Tests.LlamaGuard;

public sealed class LlamaGuardClassifierTests
{
    private static readonly GuardMessage[] Hi = [new(GuardRole.User, "Hi")];

    [Fact]
    public void TheScoreIsThatOfTheFirstTokenThatIsNoLineBreak()
    {
        var model = new FakeModel("\n\nunsafe\nS2", -0.5f);
        GuardVerdict verdict = new LlamaGuardClassifier(model, LlamaGuardVersion.One).Classify(Hi, TestContext.Current.CancellationToken);
        Assert.Equal((GuardState.Unsafe, Math.Exp(-0.5f)), (verdict.State, verdict.Score));
        Assert.Equal(["S2"], verdict.Categories);

        // Asked for behind the prompt and the line breaks, about the first token of the word.
        Assert.Equal(model.Prompt.Count + model.Blank, model.AskedBehind);
        Assert.Equal([model.Tokenizer.Encode("unsafe")[0]], model.Asked);
    }

    [Fact]
    public void OptionsReachPromptAndVerdict()
    {
        var model = new FakeModel("unsafe\nO1", -3f);
        GuardVerdict excluded = new LlamaGuardClassifier(model, LlamaGuardVersion.One, new LlamaGuardOptions { Excluded = ["O1"] }).Classify(Hi, TestContext.Current.CancellationToken);
        Assert.Equal(GuardState.Safe, excluded.State);
        Assert.DoesNotContain("O1:", model.Tokenizer.Decode([.. model.Prompt]), StringComparison.Ordinal);
        Assert.Equal(GuardState.Safe, new LlamaGuardClassifier(model, LlamaGuardVersion.One, new LlamaGuardOptions { Threshold = 0.5 }).Classify(Hi, TestContext.Current.CancellationToken).State);
        Assert.Equal(GuardState.Unsafe, new LlamaGuardClassifier(model, LlamaGuardVersion.One, new LlamaGuardOptions { Threshold = 0.01 }).Classify(Hi, TestContext.Current.CancellationToken).State);
        Assert.Equal(GuardState.Safe, new LlamaGuardClassifier(model, LlamaGuardVersion.One, new LlamaGuardOptions { Excluded = ["O1"], Threshold = 0.01 }).Classify(Hi, TestContext.Current.CancellationToken).State);
        Assert.Equal(GuardState.Unsafe, new LlamaGuardClassifier(model, LlamaGuardVersion.One, new LlamaGuardOptions { Excluded = ["O2"], Threshold = 0.01 }).Classify(Hi, TestContext.Current.CancellationToken).State);
        Assert.Contains("excluded category S1: expected one of O1, O2", Assert.Throws<PunaException>(() =>
            new LlamaGuardClassifier(model, LlamaGuardVersion.One, new LlamaGuardOptions { Excluded = ["S1"] })).Message, StringComparison.Ordinal);
        Assert.Throws<PunaException>(() => new LlamaGuardClassifier(model, LlamaGuardVersion.One, new LlamaGuardOptions { Threshold = double.NaN }));
    }

    [Fact]
    public void AFilterLetsPassWhatIsClearlySafeAlone()
    {
        ContentVerdict Check(string answer, params ChatMessage[] conversation) => new LlamaGuardFilter(new LlamaGuardClassifier(new FakeModel(answer, -1), LlamaGuardVersion.One)).Check(conversation, TestContext.Current.CancellationToken);
        ChatMessage user = new(ChatRole.User, "Hi");
        Assert.True(Check("safe", user).IsAllowed);
        ContentVerdict unsafeVerdict = Check("unsafe\nO3", user, new ChatMessage(ChatRole.Assistant, "Ho"));
        Assert.Equal((false, "unsafe: O3 Criminal Planning"), (unsafeVerdict.IsAllowed, unsafeVerdict.Reason));
        Assert.Equal((false, "the guard gave no verdict"), (Check("Sure!", user).IsAllowed, Check("Sure!", user).Reason));
        Assert.Throws<PunaException>(() => Check("safe", new ChatMessage(ChatRole.System, "Be kind")));
    }

    [Fact]
    public void TurnsAlternate()
    {
        IReadOnlyList<GuardMessage> turns = LlamaGuardFilter.Turns(
            [new(ChatRole.System, "x"), new(ChatRole.Assistant, "a"), new(ChatRole.User, "b"), new(ChatRole.User, "c"), new(ChatRole.Assistant, "d"), new(ChatRole.Tool, "e")]);
        Assert.Equal([new GuardMessage(GuardRole.User, ""), new(GuardRole.Agent, "a"), new(GuardRole.User, "b\n\nc"), new(GuardRole.Agent, "d\n\ne")], turns);
    }

    /// <summary>A real model, if one that tells stories: its answer is no verdict, and the probability is that of its own logits.</summary>
    [Fact]
    public void AModelThatIsNoGuardGivesNoVerdict()
    {
        using var ops = new CpuOps(2);
        using LanguageModel language = LanguageModel.Open(TestFiles.TrainedTiny, ops: ops);
        using var model = new SessionGuardModel(language, ops);

        // Its context of 512 holds a short list only.
        var options = new LlamaGuardOptions { Categories = [new GuardCategory("S1", "a")] };
        GuardVerdict verdict = new LlamaGuardClassifier(model, LlamaGuardVersions.Detect(language.Llama.Config, model.Tokenizer), options).Classify(Hi, TestContext.Current.CancellationToken);
        Assert.Equal(GuardState.Malformed, verdict.State);
        Assert.InRange(verdict.Score!.Value, 0, 1);
        float[] all = model.LogProbabilities([1], [.. Enumerable.Range(0, model.Tokenizer.VocabularySize)], TestContext.Current.CancellationToken);
        Assert.Equal(1, all.Sum(static p => Math.Exp(p)), 1e-4);
    }

    private sealed class FakeModel(string answer, float logProbability) : IGuardModel
    {
        public Tokenizer Tokenizer { get; } = TokenizerLoader.Open(TestFiles.Fixture("tokenizers", "tiny-byte-bpe"));

        public IReadOnlyList<int> Prompt { get; private set; } = [];

        public int Blank { get; private set; }

        public int AskedBehind { get; private set; }

        public IReadOnlyList<int> Asked { get; private set; } = [];

        public (IReadOnlyList<int> Tokens, string Text) Answer(IReadOnlyList<int> prompt, int maxTokens, CancellationToken cancel)
        {
            Prompt = prompt;
            int[] tokens = Tokenizer.Encode(answer);
            Blank = tokens.TakeWhile(t => string.IsNullOrWhiteSpace(Tokenizer.TokenText(t))).Count();
            return (tokens, answer);
        }

        public float[] LogProbabilities(IReadOnlyList<int> prompt, IReadOnlyList<int> tokens, CancellationToken cancel)
        {
            (AskedBehind, Asked) = (prompt.Count, tokens);
            return [logProbability];
        }
    }
}
