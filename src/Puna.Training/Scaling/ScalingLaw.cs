namespace Puna.Training.Scaling;

/// <summary>The loss of a model as E + A / N^alpha + B / D^beta (Hoffmann et al., arXiv 2203.15556, approach 3; spec training.md 3.2).</summary>
/// <param name="E">What no model gets below: the entropy of the text.</param>
/// <param name="A">Size of the term of parameters.</param>
/// <param name="Alpha">Exponent of parameters.</param>
/// <param name="B">Size of the term of tokens.</param>
/// <param name="Beta">Exponent of tokens.</param>
public sealed record ScalingLaw(double E, double A, double Alpha, double B, double Beta)
{
    /// <summary>Exponent with which the best number of parameters grows with compute.</summary>
    public double ParametersExponent => Beta / (Alpha + Beta);

    /// <summary>The loss of a model of <paramref name="n"/> parameters after <paramref name="d"/> tokens.</summary>
    public double Loss(double n, double d) => E + (A * Math.Pow(n, -Alpha)) + (B * Math.Pow(d, -Beta));

    /// <summary>The model and the tokens that give the lowest loss for a budget of compute, 6 N D operations.</summary>
    /// <param name="flops">The budget.</param>
    /// <returns>Parameters and tokens.</returns>
    public (double N, double D) Optimum(double flops)
    {
        double sum = Alpha + Beta, g = Math.Pow(Alpha * A / (Beta * B), 1 / sum);
        return (g * Math.Pow(flops / 6, Beta / sum), Math.Pow(flops / 6, Alpha / sum) / g);
    }
}
