using Puna.Models.PromptGuard;
using Puna.Runtime.Filtering;
using Puna.Safety.PromptGuard;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Safety.Tests.PromptGuard;

/// <summary>With the golden's random weights: what it says means nothing, but where it comes from does.</summary>
public sealed class PromptGuardClassifierTests
{
    private static string Folder => TestFiles.Fixture("goldens", "prompt-guard");

    // The golden's vocabulary has 600 pieces and its embedding 400 rows: only texts of frequent pieces have a row for each token.
    private const string Short = "the sand and the wind";

    [Fact]
    public void TheProbabilitiesAreThoseOfTheModelsLogits()
    {
        using var ops = new CpuOps(2);
        PromptGuardResult result = new PromptGuardClassifier(Folder, ops).Classify(Short, TestContext.Current.CancellationToken);
        float[] logits = Logits(ops, TokenizerLoader.Open(Folder).EncodePrompt(Short));
        double second = 1 / (1 + Math.Exp((double)logits[0] - logits[1]));
        Assert.Equal(second, result.Jailbreak, 1e-12);
        Assert.Equal(1 - second, result.Probabilities[0], 1e-12);
        Assert.Equal((result.Jailbreak, 1, second >= 0.5 ? "LABEL_1" : "LABEL_0"), (result.Indirect, result.Windows, result.Label));
    }

    [Fact]
    public void TheWorstWindowSpeaksForALongText()
    {
        using var ops = new CpuOps(2);
        var classifier = new PromptGuardClassifier(Folder, ops);
        string text = string.Join(' ', Enumerable.Range(0, 40).Select(static i => i % 3 == 0 ? "the sand" : i % 3 == 1 ? "and in" : "on"));
        int[] ids = TokenizerLoader.Open(Folder).Encode(text);
        PromptGuardResult result = classifier.Classify(text, TestContext.Current.CancellationToken);

        // 62 tokens of the context of 64, every 31.
        int expected = 1 + (int)Math.Ceiling((ids.Length - 62) / 31.0);
        Assert.True(expected > 1);
        Assert.Equal(expected, result.Windows);
        var scores = new List<double>();
        for (int i = 0; i < expected; i++)
        {
            float[] logits = Logits(ops, [1, .. ids[(i * 31)..Math.Min(ids.Length, (i * 31) + 62)], 2]);
            scores.Add(1 / (1 + Math.Exp((double)logits[0] - logits[1])));
        }

        Assert.Equal(scores.Max(), result.Jailbreak, 1e-12);
    }

    [Fact]
    public void TextsTogetherGiveTheBitsOfEachAlone()
    {
        using var ops = new CpuOps(2);
        var classifier = new PromptGuardClassifier(Folder, ops);
        string[] texts = [Short, "", "in the sand", .. Enumerable.Range(1, 30).Select(static i => string.Concat(Enumerable.Repeat("on the ", i)))];
        IReadOnlyList<PromptGuardResult> together = classifier.Classify(texts, TestContext.Current.CancellationToken);
        for (int i = 0; i < texts.Length; i++)
        {
            Assert.Equal(classifier.Classify(texts[i], TestContext.Current.CancellationToken).Probabilities, together[i].Probabilities);
        }
    }

    [Fact]
    public void AFilterJudgesWhatComesIn()
    {
        using var ops = new CpuOps(1);
        var classifier = new PromptGuardClassifier(Folder, ops);
        ContentVerdict Check(double threshold, ChatRole role) => new PromptGuardFilter(classifier, threshold).Check([new ChatMessage(role, Short)], TestContext.Current.CancellationToken);
        Assert.True(Check(1, ChatRole.User).IsAllowed);
        Assert.Equal((false, "prompt attack"), (Check(0, ChatRole.User).IsAllowed, Check(0, ChatRole.User).Reason));
        Assert.Equal("instructions in a tool's answer", Check(0, ChatRole.Tool).Reason);
        Assert.True(Check(0, ChatRole.Assistant).IsAllowed);
        Assert.Throws<PunaException>(() => new PromptGuardFilter(classifier, 2));
    }

    /// <summary>An attack does not get past by having something harmless behind it: of all messages since the model's last, the worst counts.</summary>
    [Fact]
    public void AFilterJudgesAllThatIsNew()
    {
        using var ops = new CpuOps(1);
        var classifier = new PromptGuardClassifier(Folder, ops);
        string[] texts = [Short, "a", "Good morning, what is the weather like?"];
        double[] scores = [.. texts.Select(text => classifier.Classify(text, TestContext.Current.CancellationToken).Jailbreak)];
        string worst = texts[Array.IndexOf(scores, scores.Max())], least = texts[Array.IndexOf(scores, scores.Min())];
        var filter = new PromptGuardFilter(classifier, (scores.Max() + scores.Min()) / 2);
        bool IsAllowed(params (ChatRole Role, string Text)[] messages) => filter.Check([.. messages.Select(static m => new ChatMessage(m.Role, m.Text))], TestContext.Current.CancellationToken).IsAllowed;
        Assert.True(IsAllowed((ChatRole.User, least)));
        Assert.False(IsAllowed((ChatRole.User, worst), (ChatRole.User, least)));
        Assert.False(IsAllowed((ChatRole.Assistant, least), (ChatRole.User, worst), (ChatRole.System, worst), (ChatRole.User, least)));
        Assert.True(IsAllowed((ChatRole.User, worst), (ChatRole.Assistant, least), (ChatRole.User, least)));
        Assert.Equal(scores.Max(), new PromptGuardFilter(classifier, 1).Check([new ChatMessage(ChatRole.User, worst), new ChatMessage(ChatRole.User, least)], TestContext.Current.CancellationToken).Score);
    }

    [Fact]
    public void ScoresOfThreeLabels()
    {
        var result = new PromptGuardResult(["BENIGN", "INJECTION", "JAILBREAK"], [0.2, 0.5, 0.3], 1);
        Assert.Equal((0.3, 0.8, "INJECTION"), (result.Jailbreak, result.Indirect, result.Label));
    }

    private static float[] Logits(CpuOps ops, int[] ids)
    {
        using DebertaCheckpoint checkpoint = DebertaCheckpoint.Open(Folder);
        var batch = new Batch();
        batch.Add(ids, 0, BatchOutputs.None);
        var logits = new float[2];
        ops.Read(checkpoint.LoadPacked(ops).Forward(ops, batch), logits);
        return logits;
    }
}
