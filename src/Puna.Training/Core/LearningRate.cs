using Puna.Tensors;

namespace Puna.Training.Core;

/// <summary>Learning rates as pure functions of the step (spec training.md 1.5).</summary>
/// <param name="Kind">Shape behind the warm-up.</param>
/// <param name="Peak">Highest rate.</param>
/// <param name="Floor">Rate at the end.</param>
/// <param name="Warmup">Steps of the linear warm-up; the last of them has the peak.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Decay">Steps of the fall at the end of <see cref="LearningRateKind.WarmupStableDecay"/>.</param>
public sealed record LearningRate(LearningRateKind Kind, double Peak, double Floor, long Warmup, long Steps, long Decay = 0)
{
    /// <summary>The rate of a step.</summary>
    /// <param name="step">From 0.</param>
    public double At(long step)
    {
        if (step < Warmup)
        {
            return Peak * (step + 1) / Warmup;
        }

        double share = Math.Min(1, (double)(step - Warmup) / Math.Max(1, Steps - Warmup));
        return Kind switch
        {
            LearningRateKind.Constant => Peak,
            LearningRateKind.Linear => Peak + ((Floor - Peak) * share),
            LearningRateKind.WarmupStableDecay => step < Steps - Decay ? Peak : Peak + ((Floor - Peak) * Math.Min(1, (double)(step - (Steps - Decay)) / Math.Max(1, Decay))),
            _ => Floor + (0.5 * (Peak - Floor) * (1 + Math.Cos(Math.PI * share))),
        };
    }

    /// <summary>Checks that the numbers make a schedule.</summary>
    /// <exception cref="PunaException">Names the one that does not.</exception>
    public LearningRate Validate(string where)
    {
        Require(double.IsFinite(Peak) && Peak > 0, FormattableString.Invariant($"learning rate: expected a positive number, got {Peak}"));
        Require(double.IsFinite(Floor) && Floor >= 0 && Floor <= Peak, FormattableString.Invariant($"lowest learning rate: expected 0 to {Peak}, got {Floor}"));
        Require(Steps > 0, $"steps: expected at least 1, got {Steps}");
        Require(Warmup >= 0 && Warmup <= Steps, $"warm-up: expected 0 to {Steps} steps, got {Warmup}");
        Require(Decay >= 0 && Decay <= Steps, $"decay: expected 0 to {Steps} steps, got {Decay}");
        return this;

        void Require(bool condition, string message)
        {
            if (!condition)
            {
                throw new PunaException($"{message} ({where})");
            }
        }
    }
}
