namespace Puna.Training.Recipes.ScalingLaws;

/// <summary>What <c>scaling.json</c> says.</summary>
/// <param name="Prediction">What was said before the target was trained.</param>
/// <param name="Target">What came out.</param>
/// <param name="Error">predicted / measured - 1.</param>
internal sealed record ScalingResult(ScalingPrediction Prediction, ScalingRun Target, double Error);
