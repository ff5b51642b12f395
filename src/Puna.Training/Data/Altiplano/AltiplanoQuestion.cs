namespace Puna.Training.Data.Altiplano;

/// <summary>A question that the text of a story answers.</summary>
/// <param name="Text">The question.</param>
/// <param name="Answer">The answer in the words of the story, as short as possible; it occurs in the story.</param>
/// <param name="Fact">The fact that it checks.</param>
/// <param name="Kind">What it asks for.</param>
public sealed record AltiplanoQuestion(string Text, string Answer, AltiplanoFact Fact, QuestionKind Kind);
