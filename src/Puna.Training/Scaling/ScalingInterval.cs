namespace Puna.Training.Scaling;

/// <summary>Where a number lies in most resamples.</summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public readonly record struct ScalingInterval(double Low, double High);
