namespace Puna.Training.Recipes.Pretraining;

/// <summary>The speed of a run.</summary>
/// <param name="TokensPerSecond">Tokens per second, data and update included.</param>
/// <param name="FlopsPerSecond">Operations per second.</param>
/// <param name="Peak">Rate of a float32 product of two matrices of 1024 x 1024.</param>
internal sealed record SpeedSummary(double TokensPerSecond, double FlopsPerSecond, double Peak);
