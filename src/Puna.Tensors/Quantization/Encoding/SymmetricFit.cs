namespace Puna.Tensors.Quantization.Encoding;

/// <summary>
/// Scale of a group for the types whose values are scale·n with n from −half to half − 1 (Q3_K, Q6_K), by least squares weighted with x². The scale has
/// the sign that sends the value of largest magnitude to the longer, negative side.
/// </summary>
internal static class SymmetricFit
{
    /// <summary>Groups without any larger magnitude count as zero.</summary>
    public const float Negligible = 1e-15f;

    /// <summary>
    /// The search of Q6_K: nineteen step widths around the one that uses the whole range; for each its integers and the scale that fits them best.
    /// </summary>
    /// <param name="x">The values.</param>
    /// <param name="half">Half the number of levels.</param>
    /// <param name="n">Receives the integers plus <paramref name="half"/>; zeros for a zero group.</param>
    /// <returns>The scale; 0 for a zero group.</returns>
    public static float Search(ReadOnlySpan<float> x, int half, Span<byte> n)
    {
        float extreme = Extremes.Signed(x);
        if (MathF.Abs(extreme) < Negligible)
        {
            n.Clear();
            return 0;
        }

        float inverse = -half / extreme;
        Products(x, inverse, half, out float xn, out float nn);
        float scale = nn != 0 ? xn / nn : 0;
        float best = scale * xn;
        float bestInverse = inverse;
        for (int t = -9; t <= 9; t++)
        {
            if (t == 0)
            {
                continue;
            }

            inverse = -(half + (0.1f * t)) / extreme;
            Products(x, inverse, half, out xn, out nn);

            // xn²/nn is what the fit takes away from the squared error.
            if (nn > 0 && xn * xn > best * nn)
            {
                scale = xn / nn;
                best = scale * xn;
                bestInverse = inverse;
            }
        }

        for (int i = 0; i < x.Length; i++)
        {
            n[i] = (byte)(Rounding.Nearest(bestInverse * x[i], -half, half - 1) + half);
        }

        return scale;
    }

    /// <summary>
    /// The descent of Q3_K: from the step width that uses the whole range, up to five rounds in which every integer moves to where it fits the scale that the
    /// others ask for, if the whole fit gets better.
    /// </summary>
    /// <param name="x">The values.</param>
    /// <param name="half">Half the number of levels.</param>
    /// <param name="n">Receives the integers plus <paramref name="half"/>; zeros for a zero group.</param>
    /// <returns>The scale; 0 for a zero group.</returns>
    public static float Descend(ReadOnlySpan<float> x, int half, Span<byte> n)
    {
        float extreme = Extremes.Signed(x);
        if (MathF.Abs(extreme) < Negligible)
        {
            n.Clear();
            return 0;
        }

        float inverse = -half / extreme;
        float xn = 0;
        float nn = 0;
        for (int i = 0; i < x.Length; i++)
        {
            int level = Rounding.Nearest(inverse * x[i], -half, half - 1);
            n[i] = (byte)(level + half);
            float w = x[i] * x[i];
            xn += w * x[i] * level;
            nn += w * level * level;
        }

        bool moved = true;
        for (int round = 0; round < 5 && moved; round++)
        {
            moved = false;
            for (int i = 0; i < x.Length; i++)
            {
                int old = n[i] - half;
                float w = x[i] * x[i];
                float othersXn = xn - (w * x[i] * old);
                if (!(othersXn > 0))
                {
                    continue;
                }

                float othersNn = nn - (w * old * old);
                int level = Rounding.Nearest(x[i] * othersNn / othersXn, -half, half - 1);
                if (level == old)
                {
                    continue;
                }

                float newXn = othersXn + (w * x[i] * level);
                float newNn = othersNn + (w * level * level);
                if (newNn > 0 && newXn * newXn * nn > xn * xn * newNn)
                {
                    n[i] = (byte)(level + half);
                    xn = newXn;
                    nn = newNn;
                    moved = true;
                }
            }
        }

        return nn > 0 ? xn / nn : 0;
    }

    private static void Products(ReadOnlySpan<float> x, float inverse, int half, out float xn, out float nn)
    {
        xn = 0;
        nn = 0;
        for (int i = 0; i < x.Length; i++)
        {
            int level = Rounding.Nearest(inverse * x[i], -half, half - 1);
            float w = x[i] * x[i];
            xn += w * x[i] * level;
            nn += w * level * level;
        }
    }
}
