using Puna.Formats.Images;
using Puna.Models.Vision;
using Puna.Runtime.Filtering;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
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
        float[] all = model.LogProbabilities([1], [], [.. Enumerable.Range(0, model.Tokenizer.VocabularySize)], TestContext.Current.CancellationToken);
        Assert.Equal(1, all.Sum(static p => Math.Exp(p)), 1e-4);
    }

    /// <summary>A whole network of Llama 3.2 Vision's shape, whose weights make it say one thing: the question reaches it with the picture's token in its place, and its answer is read.</summary>
    [Theory]
    [InlineData("unsafe\nS1", GuardState.Unsafe, "S1")]
    [InlineData("safe", GuardState.Safe, null)]
    [InlineData("sure", GuardState.Malformed, null)]
    public void ALlamaGuardThatSeesGivesItsVerdict(string answer, GuardState state, string? category)
    {
        string folder = Directory.CreateTempSubdirectory("puna-guard-").FullName;
        try
        {
            using var ops = new CpuOps(2);
            using LanguageModel language = LanguageModel.Open(SeeingModels.WriteGuard(Path.Combine(folder, "model"), answer), ops: ops);
            using var model = new SessionGuardModel(language, ops);
            LlamaGuardVersion version = LlamaGuardVersions.Detect(language.Llama.Config, model.Tokenizer);
            Assert.Equal(LlamaGuardVersion.Three11BVision, version);
            var classifier = new LlamaGuardClassifier(model, version);
            GuardMessage[] question = [new(GuardRole.User, "What is this?", 1)];
            GuardVerdict verdict = classifier.Classify(question, [Picture(language, 9)], TestContext.Current.CancellationToken);
            Assert.Equal((state, answer), (verdict.State, verdict.Output));
            Assert.Equal(category is null ? [] : [category], verdict.Categories);
            Assert.InRange(verdict.Score!.Value, state == GuardState.Unsafe ? 0.99 : 0, state == GuardState.Unsafe ? 1 : 0.01);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void ThePictureIsSeenWhereTheQuestionHasIt()
    {
        string folder = Directory.CreateTempSubdirectory("puna-guard-").FullName;
        try
        {
            using var ops = new CpuOps(2);
            using LanguageModel language = LanguageModel.Open(SeeingModels.WriteGuard(Path.Combine(folder, "model")), ops: ops);
            using var model = new SessionGuardModel(language, ops);
            var classifier = new LlamaGuardClassifier(model, LlamaGuardVersion.Three11BVision);
            GuardMessage[] question = [new(GuardRole.User, "What is this?", 1)], text = [new(GuardRole.User, "What is this?")];
            int[] prompt = new LlamaGuardPrompt(LlamaGuardVersion.Three11BVision, question).Encode(model.Tokenizer);

            // <|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n<|image|> Task: in bytes.
            Assert.Equal([258, 259, .. "user"u8.ToArray().Select(static b => (int)b), 260, '\n', '\n', SeeingModels.ImageToken, ' ', 'T', 'a', 's', 'k', ':'], prompt[..16]);
            Assert.Equal([' ', 261, 259, .. "assistant"u8.ToArray().Select(static b => (int)b), 260], prompt[^13..]);

            TiledImage one = Picture(language, 9), other = Picture(language, 200);
            GuardVerdict verdict = classifier.Classify(question, [one], TestContext.Current.CancellationToken);
            using var session = new Session(language, ops);
            GenerationStep first = session.Generate(prompt, [one], new GenerationOptions { MaxTokens = 1, Sampling = SamplingOptions.Greedy }, TestContext.Current.CancellationToken).Single();
            Assert.StartsWith(first.Text, verdict.Output, StringComparison.Ordinal);
            Assert.Equal(Math.Exp(session.LogProbabilities(prompt, [one], ['u'], TestContext.Current.CancellationToken)[0]), verdict.Score!.Value, 1e-12);
            Assert.NotEqual(verdict.Score, classifier.Classify(question, [other], TestContext.Current.CancellationToken).Score);
            Assert.NotEqual(verdict.Score, classifier.Classify(text, TestContext.Current.CancellationToken).Score);

            void Refused(string message, GuardMessage[] conversation, params TiledImage[] pictures) => Assert.Contains(
                message, Assert.Throws<PunaException>(() => classifier.Classify(conversation, pictures, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
            Refused("images: expected the 1 of the conversation, got 0", question);
            Refused("images: expected the 0 of the conversation, got 1", text, one);
            Refused("images: expected at most 1 for Llama Guard 3-11b-vision, got 2", [new(GuardRole.User, "Hi", 2)], one, other);
            ChatMessage shown = new(ChatRole.User, "Hi") { Images = [new ChatImage()] };
            Assert.Contains("images: expected the 1 of the conversation, got 0", Assert.Throws<PunaException>(() => new LlamaGuardFilter(classifier).Check([shown], TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Llama Guard 4 is shown every patch of every tile, and as many pictures as there are.</summary>
    [Fact]
    public void LlamaGuard4IsShownTheTilesOfPictures()
    {
        string folder = Directory.CreateTempSubdirectory("puna-guard-").FullName;
        try
        {
            using var ops = new CpuOps(2);
            using LanguageModel language = LanguageModel.Open(SeeingModels.WriteFusedGuard(Path.Combine(folder, "model")), ops: ops);
            using var model = new SessionGuardModel(language, ops);
            LlamaGuardVersion version = LlamaGuardVersions.Detect(language.Llama.Config, model.Tokenizer);
            Assert.Equal(LlamaGuardVersion.Four, version);
            var classifier = new LlamaGuardClassifier(model, version);
            TiledImage one = Picture(language, 9, 28, 28), wide = Picture(language, 200, 112, 56);
            GuardMessage[] question = [new(GuardRole.User, "What is this?", 2)];
            GuardVerdict verdict = classifier.Classify(question, [one, wide], TestContext.Current.CancellationToken);
            int[] prompt = new LlamaGuardPrompt(version, question).Encode(model.Tokenizer, [model.Place(one), model.Place(wide)]);
            Assert.Equal((one.Tiles + wide.Tiles) * 4, prompt.Count(static id => id == SeeingModels.PatchToken));
            using var session = new Session(language, ops);
            Assert.Equal(Math.Exp(session.LogProbabilities(prompt, [one, wide], ['u'], TestContext.Current.CancellationToken)[0]), verdict.Score!.Value, 1e-12);
            Assert.NotEqual(verdict.Score, classifier.Classify(question, [one, one], TestContext.Current.CancellationToken).Score);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void AModelThatDoesNotSeeRefusesPictures()
    {
        using var ops = new CpuOps(2);
        using LanguageModel language = LanguageModel.Open(TestFiles.TrainedTiny, ops: ops);
        using var model = new SessionGuardModel(language, ops);
        var image = new TiledImage(new TileGrid(1, 1), 28, 1, new float[3 * 28 * 28]);
        Assert.Contains("images: expected a model that sees them", Assert.Throws<PunaException>(() => model.Answer([1, 2], [image], 1, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    private static TiledImage Picture(LanguageModel model, byte brightness, int width = 28, int height = 28)
    {
        var pixels = new byte[width * height * 3];
        Array.Fill(pixels, brightness);
        return model.Images!.Process(new RgbImage(width, height, pixels));
    }

    private sealed class FakeModel(string answer, float logProbability) : IGuardModel
    {
        public Tokenizer Tokenizer { get; } = TokenizerLoader.Open(TestFiles.Fixture("tokenizers", "tiny-byte-bpe"));

        public IReadOnlyList<int> Prompt { get; private set; } = [];

        public int Blank { get; private set; }

        public int AskedBehind { get; private set; }

        public IReadOnlyList<int> Asked { get; private set; } = [];

        public (IReadOnlyList<int> Tokens, string Text) Answer(IReadOnlyList<int> prompt, IReadOnlyList<TiledImage> images, int maxTokens, CancellationToken cancel)
        {
            Prompt = prompt;
            int[] tokens = Tokenizer.Encode(answer);
            Blank = tokens.TakeWhile(t => string.IsNullOrWhiteSpace(Tokenizer.TokenText(t))).Count();
            return (tokens, answer);
        }

        public float[] LogProbabilities(IReadOnlyList<int> prompt, IReadOnlyList<TiledImage> images, IReadOnlyList<int> tokens, CancellationToken cancel)
        {
            (AskedBehind, Asked) = (prompt.Count, tokens);
            return [logProbability];
        }
    }
}
