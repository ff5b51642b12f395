namespace Puna.Training.Data.Altiplano;

/// <summary>A story and what is true in it.</summary>
/// <param name="Index">Which one it is.</param>
/// <param name="Plot">The family it belongs to: <c>lost llama</c>, <c>trade</c>.</param>
/// <param name="Text">The story; paragraphs are separated by a blank line.</param>
/// <param name="Hero">The name of the person it is about.</param>
/// <param name="Facts">The simulated truth.</param>
/// <param name="Questions">Questions with answers that the text gives.</param>
public sealed record AltiplanoStory(long Index, string Plot, string Text, string Hero, IReadOnlyList<AltiplanoFact> Facts, IReadOnlyList<AltiplanoQuestion> Questions);
