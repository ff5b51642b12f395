namespace Puna.Training.Exams;

/// <summary>The result of an exam.</summary>
/// <param name="Answers">All answers.</param>
/// <param name="Grammatical">Share of sentences of the model's stories that break no rule of <see cref="GrammarRules"/>.</param>
/// <param name="GrammaticalOriginals">The same of the simulator's own stories: what the rules take for wrong in right sentences.</param>
/// <param name="Stories">What the model told, beginnings included.</param>
public sealed record AltiplanoExamResult(IReadOnlyList<AltiplanoAnswer> Answers, double Grammatical, double GrammaticalOriginals, IReadOnlyList<string> Stories)
{
    /// <summary>Number of true answers.</summary>
    public int True => Answers.Count(static a => a.IsTrue);

    /// <summary>Number of questions to which the trivial guess is a true answer.</summary>
    public int GuessedTrue => Answers.Count(static a => a.GuessIsTrue);
}
