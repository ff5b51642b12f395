namespace Puna.Training.Scaling;

/// <summary>How a law is fitted.</summary>
/// <param name="Delta">Errors of ln(loss) up to this count squared, larger ones linearly, so that a run that went wrong does not bend the law.</param>
/// <param name="Resamples">Times that the runs are drawn anew, with replacement, to see how much the law depends on them; 0 for no intervals.</param>
/// <param name="Confidence">Share of the resamples that an interval holds.</param>
/// <param name="Seed">Seed of the draws.</param>
public sealed record ScalingFitOptions(double Delta = 1e-3, int Resamples = 200, double Confidence = 0.9, ulong Seed = 1);
