namespace Puna.Training.Experts;

/// <summary>
/// Losses of a router's scores, with their gradients (spec training.md 3.5). Scores are those of several layers one below the other, <c>[rows, experts]</c> in row order: one loss for the whole model, as
/// Hugging Face's code has it. Gradients are added to what is there.
/// </summary>
public static class RouterLosses
{
    /// <summary>
    /// Load balancing: experts times the sum over experts of f P, f the rows sent to an expert divided by all rows, without a gradient, P the mean of its softmax probability. 1 for even loads with one
    /// expert per row; k with k per row, f not being divided by k.
    /// </summary>
    /// <param name="scores"><c>[rows, experts]</c>.</param>
    /// <param name="experts">Number of experts.</param>
    /// <param name="counts">Per expert, how many rows chose it.</param>
    /// <param name="factor">Factor on the gradient.</param>
    /// <param name="gradient">As the scores.</param>
    public static double Balance(ReadOnlySpan<float> scores, int experts, ReadOnlySpan<int> counts, double factor, Span<float> gradient)
    {
        int rows = scores.Length / experts;
        var p = new double[experts];
        double loss = 0;
        for (int row = 0; row < rows; row++)
        {
            Softmax(scores.Slice(row * experts, experts), p);
            double mean = 0;
            for (int e = 0; e < experts; e++)
            {
                mean += p[e] * counts[e];
            }

            loss += mean;
            double scale = experts / ((double)rows * rows);
            Span<float> d = gradient.Slice(row * experts, experts);
            for (int e = 0; e < experts; e++)
            {
                d[e] += (float)(factor * scale * p[e] * (counts[e] - mean));
            }
        }

        return rows == 0 ? 0 : loss * experts / ((double)rows * rows);
    }

    /// <summary>The mean over rows of the square of the logarithm of the sum of exponentials.</summary>
    /// <inheritdoc cref="Balance" path="/param"/>
    public static double Z(ReadOnlySpan<float> scores, int experts, double factor, Span<float> gradient)
    {
        int rows = scores.Length / experts;
        var p = new double[experts];
        double loss = 0;
        for (int row = 0; row < rows; row++)
        {
            double lse = Softmax(scores.Slice(row * experts, experts), p);
            loss += lse * lse;
            Span<float> d = gradient.Slice(row * experts, experts);
            for (int e = 0; e < experts; e++)
            {
                d[e] += (float)(factor * 2 * lse * p[e] / rows);
            }
        }

        return rows == 0 ? 0 : loss / rows;
    }

    /// <summary>
    /// The load loss of noisy top-k (arXiv 1701.06538): the squared coefficient of variation, over experts, of the sum over rows of the probability to be chosen if the noise of that expert alone were drawn
    /// again. With the same noise it is a smooth function of scores.
    /// </summary>
    /// <param name="scores"><c>[rows, experts]</c>, without noise.</param>
    /// <param name="experts">Number of experts.</param>
    /// <param name="noisy">Scores with noise; the noise itself is a constant.</param>
    /// <param name="perToken">Experts per row; with all of them the loss is 0.</param>
    /// <param name="noise">Standard deviation of the noise.</param>
    /// <param name="factor">Factor on the gradient.</param>
    /// <param name="gradient">As the scores.</param>
    public static double Load(ReadOnlySpan<float> scores, int experts, ReadOnlySpan<float> noisy, int perToken, double noise, double factor, Span<float> gradient)
    {
        int rows = scores.Length / experts;
        if (perToken >= experts || rows == 0)
        {
            return 0;
        }

        // Among such scores nobody is first. The gradient says so too, so that the step is passed over.
        if (scores.ContainsAnyExceptInRange(float.MinValue, float.MaxValue) || noisy.ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
        {
            gradient.Fill(float.NaN);
            return double.NaN;
        }

        var load = new double[experts];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> h = noisy.Slice(row * experts, experts);
            for (int e = 0; e < experts; e++)
            {
                load[e] += Normal(((double)scores[(row * experts) + e] - h[Rival(h, e, perToken)]) / noise);
            }
        }

        double mean = load.Average(), squares = 0;
        foreach (double x in load)
        {
            squares += (x - mean) * (x - mean);
        }

        // Loss = variance / mean^2, both over experts; its slope by one load.
        double loss = squares / experts / (mean * mean);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> h = noisy.Slice(row * experts, experts);
            for (int e = 0; e < experts; e++)
            {
                int rival = Rival(h, e, perToken);
                double z = ((double)scores[(row * experts) + e] - h[rival]) / noise;
                double slope = ((2 * (load[e] - mean)) - (2 * loss * mean)) / (experts * mean * mean);
                double d = factor * slope * Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI) / noise;
                gradient[(row * experts) + e] += (float)d;
                gradient[(row * experts) + rival] -= (float)d;
            }
        }

        return loss;
    }

    /// <summary>The expert whose noisy score has to be surpassed to be among the first: the k-th of the others.</summary>
    private static int Rival(ReadOnlySpan<float> h, int expert, int perToken)
    {
        int last = -1;
        for (int k = 0; k < perToken; k++)
        {
            int best = -1;
            for (int e = 0; e < h.Length; e++)
            {
                bool isBehind = last < 0 || h[e] < h[last] || (h[e] == h[last] && e > last);
                if (e != expert && isBehind && (best < 0 || h[e] > h[best]))
                {
                    best = e;
                }
            }

            last = best;
        }

        return last;
    }

    /// <summary>Writes probabilities, and gives the logarithm of the sum of exponentials.</summary>
    private static double Softmax(ReadOnlySpan<float> scores, Span<double> p)
    {
        double largest = double.NegativeInfinity, sum = 0;
        foreach (float score in scores)
        {
            largest = Math.Max(largest, score);
        }

        for (int e = 0; e < scores.Length; e++)
        {
            p[e] = Math.Exp(scores[e] - largest);
            sum += p[e];
        }

        for (int e = 0; e < scores.Length; e++)
        {
            p[e] /= sum;
        }

        return largest + Math.Log(sum);
    }

    /// <summary>The normal distribution function, by its series (Marsaglia 2004): all terms have one sign, so that nothing cancels.</summary>
    private static double Normal(double z)
    {
        if (Math.Abs(z) > 8)
        {
            return z < 0 ? 0 : 1;
        }

        double sum = z, before = 0, term = z;
        for (int i = 3; sum != before; i += 2)
        {
            before = sum;
            term *= z * z / i;
            sum += term;
        }

        return 0.5 + (sum * Math.Exp(-0.5 * z * z) / Math.Sqrt(2 * Math.PI));
    }
}
