namespace Puna.Training.Scaling;

/// <summary>Runs of one budget of compute: a parabola of the loss over the logarithm of the parameters (approach 2 of arXiv 2203.15556).</summary>
/// <param name="Flops">The budget, geometric mean of the runs'.</param>
/// <param name="Curvature">Factor of the square; above 0.</param>
/// <param name="N">Parameters at the lowest point.</param>
/// <param name="Loss">Loss at the lowest point.</param>
/// <param name="IsInside">Whether the lowest point lies between the smallest and the largest model that was tried; otherwise it is a guess.</param>
public sealed record IsoFlopParabola(double Flops, double Curvature, double N, double Loss, bool IsInside)
{
    /// <summary>Tokens at the lowest point.</summary>
    public double D => Flops / (6 * N);

    /// <summary>The parabola at <paramref name="n"/> parameters.</summary>
    public double At(double n) => Loss + (Curvature * Math.Pow(Math.Log(n / N), 2));
}
