using Puna.Tensors;

namespace Puna.Training.Scaling;

/// <summary>y = coefficient x^exponent: a straight line on logarithmic axes.</summary>
/// <param name="Coefficient">Value at 1.</param>
/// <param name="Exponent">Slope.</param>
public sealed record PowerLaw(double Coefficient, double Exponent)
{
    /// <summary>The value at <paramref name="x"/>.</summary>
    public double At(double x) => Coefficient * Math.Pow(x, Exponent);

    /// <summary>The line of least squares through the logarithms.</summary>
    /// <exception cref="PunaException">Fewer than two different x.</exception>
    public static PowerLaw Fit(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Select(static p => p.X).Distinct().Count() < 2)
        {
            throw new PunaException($"power law: expected points at two places at least, got {points.Count} at one");
        }

        double x = points.Average(static p => Math.Log(p.X)), y = points.Average(static p => Math.Log(p.Y));
        double slope = points.Sum(p => (Math.Log(p.X) - x) * (Math.Log(p.Y) - y)) / points.Sum(p => (Math.Log(p.X) - x) * (Math.Log(p.X) - x));
        return new PowerLaw(Math.Exp(y - (slope * x)), slope);
    }
}
