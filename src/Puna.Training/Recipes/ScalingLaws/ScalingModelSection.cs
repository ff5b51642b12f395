using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Recipes.ScalingLaws;

/// <summary>A model of the small runs.</summary>
/// <param name="Model">Its shape.</param>
/// <param name="PeakRate">Its highest learning rate; that of the target where not said. Smaller models bear higher ones.</param>
public sealed record ScalingModelSection(ModelSection Model, double? PeakRate = null);
