using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Training.Scaling;

/// <summary>A law fitted to runs, with laws fitted to resamples of them (spec training.md 3.2).</summary>
public sealed class ScalingFit
{
    private readonly double _confidence;

    private ScalingFit(ScalingLaw law, double objective, double error, IReadOnlyList<ScalingLaw> resampled, double confidence) =>
        (Law, Objective, Error, Resampled, _confidence) = (law, objective, error, resampled, confidence);

    /// <summary>The law.</summary>
    public ScalingLaw Law { get; }

    /// <summary>Sum of Huber's losses at the law.</summary>
    public double Objective { get; }

    /// <summary>Mean of |predicted / measured - 1| over the runs.</summary>
    public double Error { get; }

    /// <summary>The laws of resampled runs.</summary>
    public IReadOnlyList<ScalingLaw> Resampled { get; }

    /// <summary>Fits a law.</summary>
    /// <param name="points">Runs: six at least, of two sizes and two numbers of tokens at least, not all on one line.</param>
    /// <param name="options">How; null means the defaults.</param>
    /// <exception cref="PunaException">Too few runs, or numbers that are not positive.</exception>
    public static ScalingFit Fit(IReadOnlyList<ScalingPoint> points, ScalingFitOptions? options = null)
    {
        options ??= new ScalingFitOptions();
        Require(double.IsFinite(options.Delta) && options.Delta > 0, "delta", "a positive number", options.Delta);
        Require(options.Resamples >= 0, "resamples", "0 or more", options.Resamples);
        Require(options.Confidence is > 0 and < 1, "confidence", "a share between 0 and 1", options.Confidence);
        Require(points.Count > ScalingObjective.Unknowns, "runs", $"more than the law's {ScalingObjective.Unknowns} constants", points.Count);
        foreach (ScalingPoint point in points)
        {
            point.Require();
        }

        Require(IsVaried(points), "runs", "two sizes and two numbers of tokens at least", points.Count);
        var objective = new ScalingObjective(points, options.Delta);
        (double[] X, double Value) best = (new double[ScalingObjective.Unknowns], double.PositiveInfinity);
        foreach (double[] start in objective.Starts())
        {
            (double[] X, double Value) found = objective.Minimize(start);
            best = found.Value < best.Value ? found : best;
        }

        ScalingLaw law = objective.Law(best.X);
        var resampled = new List<ScalingLaw>();
        for (long draw = 0; resampled.Count < options.Resamples; draw++)
        {
            ScalingPoint[] sample = [.. points.Select((_, i) => points[(int)(Philox.Uniform(options.Seed, (draw * points.Count) + i, 0) * points.Count)])];
            if (IsVaried(sample))
            {
                var others = new ScalingObjective(sample, options.Delta);
                resampled.Add(others.Law(others.Minimize(others.Unknown(law)).X));
            }
        }

        return new ScalingFit(law, best.Value, points.Average(p => Math.Abs((law.Loss(p.N, p.D) / p.Loss) - 1)), resampled, options.Confidence);
    }

    /// <summary>Where a number that follows from the law lies in most resamples; null where there are none.</summary>
    /// <param name="number">For example <c>law => law.Loss(n, d)</c>.</param>
    public ScalingInterval? Interval(Func<ScalingLaw, double> number)
    {
        if (Resampled.Count == 0)
        {
            return null;
        }

        double[] values = [.. Resampled.Select(number).Order()];
        return new ScalingInterval(Quantile(values, (1 - _confidence) / 2), Quantile(values, (1 + _confidence) / 2));
    }

    private static double Quantile(double[] sorted, double share)
    {
        double place = share * (sorted.Length - 1);
        int below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }

    private static bool IsVaried(IReadOnlyList<ScalingPoint> points) =>
        points.Any(p => p.N != points[0].N) && points.Any(p => p.D != points[0].D);

    private static void Require(bool condition, string what, string expected, double got)
    {
        if (!condition)
        {
            throw new PunaException(FormattableString.Invariant($"scaling fit {what}: expected {expected}, got {got}"));
        }
    }
}
