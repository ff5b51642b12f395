using Puna.Tensors;

namespace Puna.Training.Scaling;

/// <summary>What one training run gave.</summary>
/// <param name="N">Parameters of the model, counted alike in all runs.</param>
/// <param name="D">Tokens it was trained on, with a schedule made for that many.</param>
/// <param name="Loss">Held-out loss at the end, nats per token.</param>
public readonly record struct ScalingPoint(double N, double D, double Loss)
{
    /// <summary>Operations of the run by the rule of thumb 6 N D.</summary>
    public double Flops => 6 * N * D;

    /// <summary>Checks that logarithms exist.</summary>
    /// <exception cref="PunaException">Names the number that has none.</exception>
    internal void Require()
    {
        foreach ((string name, double value) in (ReadOnlySpan<(string, double)>)[("parameters", N), ("tokens", D), ("loss", Loss)])
        {
            if (!double.IsFinite(value) || value <= 0)
            {
                throw new PunaException(FormattableString.Invariant($"scaling point {name}: expected a positive number, got {value} (N {N}, D {D}, loss {Loss})"));
            }
        }
    }
}
