using Puna.Training.Scaling;

namespace Puna.Training.Recipes.ScalingLaws;

/// <summary>What <c>prediction.json</c> says before the target is trained.</summary>
/// <param name="Runs">The small runs.</param>
/// <param name="Law">The law of their losses.</param>
/// <param name="FitError">Mean of |fitted / measured - 1| over them.</param>
/// <param name="Intervals">Per constant where it lies in nine of ten resamples.</param>
/// <param name="N">Parameters of the target.</param>
/// <param name="D">Tokens of the target.</param>
/// <param name="Loss">Its loss by the law.</param>
/// <param name="Interval">Where it lies in nine of ten resamples.</param>
/// <param name="BestN">Parameters that the law thinks best for the target's operations.</param>
/// <param name="BestD">Tokens that it thinks best.</param>
/// <param name="BestLoss">The loss that these would give.</param>
internal sealed record ScalingPrediction(
    IReadOnlyList<ScalingRun> Runs,
    ScalingLaw Law,
    double FitError,
    IReadOnlyDictionary<string, ScalingInterval> Intervals,
    double N,
    double D,
    double Loss,
    ScalingInterval? Interval,
    double BestN,
    double BestD,
    double BestLoss)
{
    /// <summary>Fits a law and asks it for a run.</summary>
    public static ScalingPrediction Make(IReadOnlyList<ScalingRun> runs, double n, double d, int resamples)
    {
        ScalingFit fit = ScalingFit.Fit([.. runs.Select(static r => r.Point())], new ScalingFitOptions(Resamples: resamples));
        var intervals = new Dictionary<string, ScalingInterval>();
        foreach ((string name, Func<ScalingLaw, double> number) in ((string, Func<ScalingLaw, double>)[])
            [("e", static l => l.E), ("a", static l => l.A), ("alpha", static l => l.Alpha), ("b", static l => l.B), ("beta", static l => l.Beta), ("parameters_exponent", static l => l.ParametersExponent)])
        {
            if (fit.Interval(number) is ScalingInterval interval)
            {
                intervals.Add(name, interval);
            }
        }

        (double bestN, double bestD) = fit.Law.Optimum(6 * n * d);
        return new ScalingPrediction(runs, fit.Law, fit.Error, intervals, n, d, fit.Law.Loss(n, d), fit.Interval(l => l.Loss(n, d)), bestN, bestD, fit.Law.Loss(bestN, bestD));
    }
}
