using Puna.Training.Data.Altiplano;

namespace Puna.Training.Exams;

/// <summary>One answer of an exam.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="Reply">What the model said.</param>
/// <param name="IsTrue">Whether that is the answer.</param>
/// <param name="GuessIsTrue">Whether the trivial guess is.</param>
public sealed record AltiplanoAnswer(AltiplanoQuestion Question, string Reply, bool IsTrue, bool GuessIsTrue);
