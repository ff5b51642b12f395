namespace Puna.Training.Scaling;

/// <summary>
/// The sum over runs of Huber's loss of ln(predicted) - ln(measured), and how to minimise it: Levenberg and Marquardt's method on squares whose weights follow Huber's loss. A step that does not
/// lower the sum is not taken, so it falls from step to step.
/// </summary>
/// <remarks>
/// Unknowns are logarithms, so that all five constants stay positive, and the logarithms of sizes are moved to their means, since E, A and B would otherwise hardly be told apart:
/// ln E, ln(A / N0^alpha), ln alpha, ln(B / D0^beta), ln beta with the geometric means N0 and D0.
/// </remarks>
internal sealed class ScalingObjective
{
    public const int Unknowns = 5;

    private const int MostSteps = 400;
    private const double SmallestGain = 1e-10;

    private readonly double[] _n;
    private readonly double[] _d;
    private readonly double[] _loss;
    private readonly double _delta;
    private readonly double _meanN;
    private readonly double _meanD;

    public ScalingObjective(IReadOnlyList<ScalingPoint> points, double delta)
    {
        _delta = delta;
        _meanN = points.Average(static p => Math.Log(p.N));
        _meanD = points.Average(static p => Math.Log(p.D));
        _n = [.. points.Select(p => Math.Log(p.N) - _meanN)];
        _d = [.. points.Select(p => Math.Log(p.D) - _meanD)];
        _loss = [.. points.Select(static p => Math.Log(p.Loss))];
    }

    /// <summary>Places to start from: what part of the lowest loss no model gets below, how the rest is shared between parameters and tokens, and the exponents.</summary>
    public IEnumerable<double[]> Starts()
    {
        double lowest = Math.Exp(_loss.Min()), middle = Math.Exp(_loss.Average());
        foreach (double floor in (double[])[0.2, 0.5, 0.8, 0.95])
        {
            foreach (double share in (double[])[0.15, 0.5, 0.85])
            {
                foreach (double alpha in (double[])[0.1, 0.3, 0.7])
                {
                    foreach (double beta in (double[])[0.1, 0.3, 0.7])
                    {
                        double rest = Math.Max(middle - (floor * lowest), 1e-3 * middle);
                        yield return [Math.Log(floor * lowest), Math.Log(share * rest), Math.Log(alpha), Math.Log((1 - share) * rest), Math.Log(beta)];
                    }
                }
            }
        }
    }

    /// <summary>The unknowns of a law.</summary>
    public double[] Unknown(ScalingLaw law) =>
        [Math.Log(law.E), Math.Log(law.A) - (law.Alpha * _meanN), Math.Log(law.Alpha), Math.Log(law.B) - (law.Beta * _meanD), Math.Log(law.Beta)];

    /// <summary>The law of the unknowns.</summary>
    public ScalingLaw Law(double[] x)
    {
        double alpha = Math.Exp(x[2]), beta = Math.Exp(x[4]);
        return new ScalingLaw(Math.Exp(x[0]), Math.Exp(x[1] + (alpha * _meanN)), alpha, Math.Exp(x[3] + (beta * _meanD)), beta);
    }

    /// <summary>Goes downhill from a start.</summary>
    /// <returns>Where it ended, and the sum there.</returns>
    public (double[] X, double Value) Minimize(double[] start)
    {
        double[] x = start;
        double value = Value(x), damping = 1e-2;
        for (int step = 0; step < MostSteps && damping < 1e12; step++)
        {
            double[][] system = Normal(x);
            for (int i = 0; i < Unknowns; i++)
            {
                system[i][i] += damping * (system[i][i] + 1e-9);
            }

            double[]? move = LinearSystem.Solve(system);
            double[]? next = move is null ? null : [.. x.Zip(move, static (a, b) => a + Math.Clamp(b, -2, 2))];
            double there = next is null ? double.NaN : Value(next);
            if (!(there < value))
            {
                damping *= 4;
                continue;
            }

            bool ends = value - there < SmallestGain * value;
            (x, value, damping) = (next!, there, Math.Max(1e-9, damping / 3));
            if (ends)
            {
                break;
            }
        }

        return (x, value);
    }

    /// <summary>The sum at a place.</summary>
    public double Value(double[] x)
    {
        double sum = 0;
        double alpha = Math.Exp(x[2]), beta = Math.Exp(x[4]);
        for (int i = 0; i < _n.Length; i++)
        {
            double r = Math.Abs(Math.Log(Math.Exp(x[0]) + Math.Exp(x[1] - (alpha * _n[i])) + Math.Exp(x[3] - (beta * _d[i]))) - _loss[i]);
            sum += r <= _delta ? r * r / 2 : _delta * (r - (_delta / 2));
        }

        return sum;
    }

    /// <summary>The normal equations of the weighted squares at a place: the logarithm of a sum of exponentials has the shares of the terms as its derivatives.</summary>
    private double[][] Normal(double[] x)
    {
        var system = new double[Unknowns][];
        for (int i = 0; i < Unknowns; i++)
        {
            system[i] = new double[Unknowns + 1];
        }

        double alpha = Math.Exp(x[2]), beta = Math.Exp(x[4]);
        Span<double> slope = stackalloc double[Unknowns];
        for (int p = 0; p < _n.Length; p++)
        {
            double e = Math.Exp(x[0]), a = Math.Exp(x[1] - (alpha * _n[p])), b = Math.Exp(x[3] - (beta * _d[p])), total = e + a + b;
            double r = Math.Log(total) - _loss[p], weight = Math.Abs(r) <= _delta ? 1 : _delta / Math.Abs(r);
            (slope[0], slope[1], slope[2], slope[3], slope[4]) = (e / total, a / total, -alpha * _n[p] * a / total, b / total, -beta * _d[p] * b / total);
            for (int i = 0; i < Unknowns; i++)
            {
                for (int j = 0; j < Unknowns; j++)
                {
                    system[i][j] += weight * slope[i] * slope[j];
                }

                system[i][Unknowns] -= weight * slope[i] * r;
            }
        }

        return system;
    }
}
