namespace Puna.Training.Recipes.Pretraining;

/// <summary>A line of <c>rates.jsonl</c>.</summary>
/// <param name="Step">From 1.</param>
/// <param name="Rate">Learning rate.</param>
/// <param name="Loss">Loss before the update with it.</param>
/// <param name="Smoothed">Running mean of the losses.</param>
internal sealed record RateEntry(int Step, double Rate, double Loss, double Smoothed);
