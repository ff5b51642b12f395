using Puna.Runtime.Sampling;

namespace Puna.Runtime.Tests.Sampling;

/// <summary>The cuts as their definitions read: full sort, running sum, library arithmetic. An oracle, not made for speed.</summary>
internal static class NaiveSampler
{
    /// <summary>Tokens that stay (ascending) with their probabilities, and how near the top-p sum came to its limit (relative).</summary>
    public static (SortedDictionary<int, double> Kept, double Margin) Distribution(float[] logits, SamplingOptions options)
    {
        List<int> order = [.. Enumerable.Range(0, logits.Length).Where(i => !float.IsNegativeInfinity(logits[i])).OrderByDescending(i => logits[i]).ThenBy(i => i)];
        if (options.TopK > 0 && options.TopK < order.Count)
            order.RemoveRange(options.TopK, order.Count - options.TopK);
        double max = logits[order[0]];
        double total = order.Sum(i => Math.Exp((logits[i] - max) / options.Temperature));
        double margin = 1, before = 0;
        if (options.TypicalP < 1)
        {
            double P(int i) => Math.Exp((logits[i] - max) / options.Temperature) / total;
            double entropy = -order.Sum(i => P(i) > 0 ? P(i) * Math.Log(P(i)) : 0);
            var typical = new HashSet<int>();
            double reached = 0, last = -1;
            foreach (int i in order.Where(i => P(i) > 0).OrderBy(i => Math.Abs(-Math.Log(P(i)) - entropy)))
            {
                margin = Math.Min(margin, Math.Abs(reached - options.TypicalP));
                if (reached >= options.TypicalP)
                    break;
                // Distances that are nearly equal may be ranked either way.
                double distance = Math.Abs(-Math.Log(P(i)) - entropy);
                margin = distance > last && distance - last < 1e-5 ? 0 : margin;
                last = distance;
                typical.Add(i);
                reached += P(i);
            }

            order.RemoveAll(i => !typical.Contains(i));
            total = order.Sum(i => Math.Exp((logits[i] - max) / options.Temperature));
        }

        var kept = new SortedDictionary<int, double>();
        double best = Math.Exp((logits[order[0]] - max) / options.Temperature) / total;
        foreach (int i in order)
        {
            double p = Math.Exp((logits[i] - max) / options.Temperature) / total;
            margin = Math.Min(margin, options.TopP < 1 ? Math.Abs(before - options.TopP) : 1);
            if (before > options.TopP && options.TopP < 1)
                break;
            before += p;
            margin = Math.Min(margin, options.MinP > 0 ? Math.Abs((p / best) - options.MinP) : 1);
            if (p >= options.MinP * best && p > 0)
                kept.Add(i, p);
        }

        double mass = kept.Values.Sum();
        foreach (int i in kept.Keys.ToArray())
            kept[i] /= mass;
        return (kept, margin);
    }
}
