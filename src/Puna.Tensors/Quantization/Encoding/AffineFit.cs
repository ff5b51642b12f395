namespace Puna.Tensors.Quantization.Encoding;

/// <summary>
/// Scale and minimum of a group for the types whose values are scale·n − minimum (Q2_K, Q4_K, Q5_K). Starting from the range of the group, a few slightly
/// different step widths are tried: each gives integers n, for which the weighted least-squares line is solved; the line with the least weighted error wins.
/// The minimum is never negative: zero has to stay inside the range.
/// </summary>
/// <param name="Levels">Largest integer.</param>
/// <param name="First">The first trial divides the range by <paramref name="Levels"/> plus this.</param>
/// <param name="Step">What each further trial adds.</param>
/// <param name="Trials">Number of trials.</param>
/// <param name="Absolute">Whether an error counts by its magnitude instead of its square.</param>
internal readonly record struct AffineFit(int Levels, float First, float Step, int Trials, bool Absolute)
{
    /// <summary>Fits one group.</summary>
    /// <param name="x">The values.</param>
    /// <param name="weights">How much an error of each matters, at least 0.</param>
    /// <param name="n">Receives the integers.</param>
    /// <param name="trial">Scratch as long as <paramref name="n"/>.</param>
    /// <param name="minimum">What is taken away, at least 0.</param>
    /// <returns>The scale.</returns>
    public float Fit(ReadOnlySpan<float> x, ReadOnlySpan<float> weights, Span<byte> n, Span<byte> trial, out float minimum)
    {
        (float least, float most) = Extremes.Range(x);
        var total = default(Sums);
        for (int i = 0; i < x.Length; i++)
        {
            total.W += weights[i];
            total.X += weights[i] * x[i];
        }

        least = least > 0 ? 0 : least;
        if (most == least)
        {
            n.Clear();
            minimum = -least;
            return 0;
        }

        float inverse = Levels / (most - least);
        float scale = 1 / inverse;
        Integers(x, inverse, least, n);
        float bestError = Error(x, weights, n, scale, least);
        for (int t = 0; t < Trials; t++)
        {
            // A better minimum counts at once: it moves the range that the following trials divide.
            Integers(x, (First + (Step * t) + Levels) / (most - least), least, trial);
            Sums sums = total;
            for (int i = 0; i < x.Length; i++)
            {
                sums.Add(weights[i], trial[i], x[i]);
            }

            if (sums.Line(out float thisScale, out float thisLeast))
            {
                float error = Error(x, weights, trial, thisScale, thisLeast);
                if (error < bestError)
                {
                    trial.CopyTo(n);
                    bestError = error;
                    scale = thisScale;
                    least = thisLeast;
                }
            }
        }

        minimum = -least;
        return scale;
    }

    private void Integers(ReadOnlySpan<float> x, float inverse, float least, Span<byte> n)
    {
        for (int i = 0; i < x.Length; i++)
        {
            n[i] = (byte)Rounding.Nearest(inverse * (x[i] - least), 0, Levels);
        }
    }

    private float Error(ReadOnlySpan<float> x, ReadOnlySpan<float> weights, ReadOnlySpan<byte> n, float scale, float least)
    {
        float error = 0;
        for (int i = 0; i < x.Length; i++)
        {
            float difference = (scale * n[i]) + least - x[i];
            error += weights[i] * (Absolute ? MathF.Abs(difference) : difference * difference);
        }

        return error;
    }

    /// <summary>Weighted sums for the line x = scale·n + least.</summary>
    private struct Sums
    {
        public float W;
        public float X;
        private float _n;
        private float _nn;
        private float _nx;

        public void Add(float weight, int n, float x)
        {
            float wn = weight * n;
            _n += wn;
            _nn += wn * n;
            _nx += wn * x;
        }

        public readonly bool Line(out float scale, out float least)
        {
            float determinant = (W * _nn) - (_n * _n);
            if (!(determinant > 0))
            {
                scale = least = 0;
                return false;
            }

            scale = ((W * _nx) - (X * _n)) / determinant;
            least = ((_nn * X) - (_n * _nx)) / determinant;
            if (least > 0)
            {
                least = 0;
                scale = _nx / _nn;
            }

            return true;
        }
    }
}
