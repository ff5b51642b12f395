namespace Puna.Training.Recipes.Pretraining;

/// <summary>An exam about the Altiplano world at the end of a run; its results go into the card. It changes nothing of the training.</summary>
/// <param name="Questions">Questions about held-out stories.</param>
/// <param name="Stories">Held-out beginnings to continue.</param>
public sealed record ExamSection(int Questions = 100, int Stories = 50);
