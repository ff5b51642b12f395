using System.Globalization;
using System.Text.RegularExpressions;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Training.Data.Altiplano;
using Puna.Training.Exams;

namespace Puna.Training.Tests.Exams;

/// <summary>The exam of the model in the tool: what it learnt holds for stories that it has never seen.</summary>
public sealed partial class AltiplanoExamTests
{
    /// <summary>
    /// The exam of the model card, again: the same questions, so the guess has the same marks. The model's may differ by a few where another processor rounds otherwise, and stay at least 8 of 100 above the guess: three
    /// standard deviations of a guess that is right 8 times of 100 (2.7).
    /// </summary>
    [Fact]
    public void TheModelInTheToolAnswersMoreThanAGuessDoes()
    {
        string folder = Path.Combine(TestFiles.Root, "src", "Puna.DefaultModel");
        Match card = Marks().Match(File.ReadAllText(Path.Combine(folder, "README.md")));
        Assert.True(card.Success);
        int[] marks = [.. card.Groups.Values.Skip(1).Select(static g => int.Parse(g.ValueSpan, CultureInfo.InvariantCulture))];
        using var ops = new CpuOps(2);
        using LanguageModel model = LanguageModel.Open(Path.Combine(folder, "puna-tiny.gguf"), map: false, ops);
        AltiplanoExamResult exam = AltiplanoExam.Run(model, ops, seed: 1, questions: 100, stories: 0, stop: TestContext.Current.CancellationToken);
        Assert.Equal(100, marks[1]);
        Assert.Equal(100, exam.Answers.Count);
        Assert.Equal(marks[2], exam.GuessedTrue);
        Assert.InRange(exam.True, exam.GuessedTrue + 8, 100);
        Assert.InRange(exam.True, marks[0] - 4, marks[0] + 4);
    }

    [Theory]
    [InlineData("Rosa", "Rosa", true)]
    [InlineData("Rosa", "It was Rosa.", true)]
    [InlineData("Rosa", "Rosana", false)]
    [InlineData("Rosa", "It was Rosa and Pedro and Nina and Olga.", false)]
    [InlineData("Rosa", "", false)]
    [InlineData("a silver bell", "a silver bell", true)]
    [InlineData("a silver bell", "a golden bell", false)]
    public void AnAnswerIsTrueWhereItSaysItAndLittleElse(string answer, string reply, bool isTrue)
    {
        AltiplanoQuestion question = StoryTeller.Tell(1, AltiplanoSplit.Index(SplitPart.Test, 0)).Questions[0] with { Answer = answer };
        Assert.Equal(isTrue, AltiplanoExam.IsTrue(question, reply));
    }

    [GeneratedRegex(@"held-out stories \| (\d+) of (\d+); guessing the commonest name or the first number: (\d+) \|")]
    private static partial Regex Marks();
}
