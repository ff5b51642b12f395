namespace Puna.Training.Recipes.Pretraining;

/// <summary>The range that <c>puna train find-rate</c> tries.</summary>
/// <param name="From">Lowest rate.</param>
/// <param name="To">Highest rate.</param>
/// <param name="Steps">Steps from one to the other, at equal ratios.</param>
public sealed record RateFinderSection(double From = 1e-5, double To = 1, int Steps = 100);
