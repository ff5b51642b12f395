using Puna.Tensors;

namespace Puna.Training.Scaling;

/// <summary>The best size per budget of compute, and how it grows.</summary>
/// <param name="Parabolas">One per budget with a lowest point, by budget.</param>
/// <param name="Parameters">Best parameters over compute; null with fewer than two budgets.</param>
/// <param name="Tokens">Best tokens over compute; null with fewer than two budgets.</param>
public sealed record IsoFlopFit(IReadOnlyList<IsoFlopParabola> Parabolas, PowerLaw? Parameters, PowerLaw? Tokens)
{
    private const int LeastRuns = 3;

    /// <summary>Groups runs by compute, fits a parabola to each group of three sizes at least, and lines through their lowest points.</summary>
    /// <param name="points">The runs.</param>
    /// <param name="tolerance">Runs whose budgets differ by less than this share belong together.</param>
    /// <exception cref="PunaException">No budget has a lowest point.</exception>
    public static IsoFlopFit Fit(IReadOnlyList<ScalingPoint> points, double tolerance = 0.1)
    {
        foreach (ScalingPoint point in points)
        {
            point.Require();
        }

        var parabolas = new List<IsoFlopParabola>();
        var group = new List<ScalingPoint>();
        foreach (ScalingPoint point in points.OrderBy(static p => p.Flops))
        {
            if (group.Count > 0 && point.Flops > group[0].Flops * (1 + tolerance))
            {
                Close();
            }

            group.Add(point);
        }

        Close();
        if (parabolas.Count == 0)
        {
            throw new PunaException($"isoFLOP fit: expected a budget with {LeastRuns} model sizes and a loss that falls and rises with size, got none among {points.Count} runs");
        }

        bool several = parabolas.Count > 1;
        return new IsoFlopFit(
            parabolas,
            several ? PowerLaw.Fit([.. parabolas.Select(static p => (p.Flops, p.N))]) : null,
            several ? PowerLaw.Fit([.. parabolas.Select(static p => (p.Flops, p.D))]) : null);

        void Close()
        {
            if (Parabola(group) is IsoFlopParabola parabola)
            {
                parabolas.Add(parabola);
            }

            group.Clear();
        }
    }

    /// <summary>Least squares with the logarithms moved to their mean, where the system is well conditioned.</summary>
    private static IsoFlopParabola? Parabola(List<ScalingPoint> runs)
    {
        if (runs.Select(static r => r.N).Distinct().Count() < LeastRuns)
        {
            return null;
        }

        double center = runs.Average(static r => Math.Log(r.N));
        double[][] system = [new double[4], new double[4], new double[4]];
        foreach (ScalingPoint run in runs)
        {
            double x = Math.Log(run.N) - center;
            double[] powers = [1, x, x * x];
            for (int i = 0; i < 3; i++)
            {
                for (int j = 0; j < 3; j++)
                {
                    system[i][j] += powers[i] * powers[j];
                }

                system[i][3] += powers[i] * run.Loss;
            }
        }

        if (LinearSystem.Solve(system) is not [double c, double b, double a] || a <= 0)
        {
            return null;
        }

        double n = Math.Exp(center - (b / (2 * a)));
        return new IsoFlopParabola(
            Math.Exp(runs.Average(static r => Math.Log(r.Flops))), a, n, c - (b * b / (4 * a)), n >= runs.Min(static r => r.N) && n <= runs.Max(static r => r.N));
    }
}
