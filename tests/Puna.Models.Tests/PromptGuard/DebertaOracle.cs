using Puna.Models.PromptGuard;

namespace Puna.Models.Tests.PromptGuard;

/// <summary>Prompt Guard's classifier as plain loops in double, from the formulas of spec llama4.md 14, one text at a time; for finite differences, which float32 is too coarse for.</summary>
/// <param name="config">The shape.</param>
/// <param name="parameters">Values of every parameter, row by row.</param>
internal sealed class DebertaOracle(DebertaConfig config, Dictionary<string, double[]> parameters)
{
    /// <summary>Logits of one text.</summary>
    public double[] Logits(int[] ids)
    {
        int hidden = config.Hidden, half = config.DistanceRows / 2;
        double[] table = parameters["deberta.encoder.rel_embeddings.weight"];
        table = config.NormsDistances ? Norm(table, "deberta.encoder.LayerNorm") : table;
        double[] embedding = parameters["deberta.embeddings.word_embeddings.weight"];
        double[] x = Norm([.. ids.SelectMany(id => embedding[(id * hidden)..((id + 1) * hidden)])], "deberta.embeddings.LayerNorm");
        int Row(int distance) => Math.Clamp(RelativeBuckets.Bucket(distance, config.Buckets, config.MaxDistance) + half, 0, config.DistanceRows - 1);
        for (int i = 0; i < config.Layers; i++)
        {
            string p = $"deberta.encoder.layer.{i}.", self = p + "attention.self.";
            double[] q = Dense(x, self + "query_proj"), k = Dense(x, self + "key_proj"), v = Dense(x, self + "value_proj");
            double[] seen = Attention(q, k, v, Dense(table, self + "query_proj"), Dense(table, self + "key_proj"), Row);
            double[] a = Norm(Sum(x, Dense(seen, p + "attention.output.dense")), p + "attention.output.LayerNorm");
            x = Norm(Sum(a, Dense(Gelu(Dense(a, p + "intermediate.dense")), p + "output.dense")), p + "output.LayerNorm");
        }

        return Dense(Gelu(Dense(x[..hidden], "pooler.dense")), "classifier");
    }

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, static (x, y) => x + y)];

    private static double[] Gelu(double[] x) => Array.ConvertAll(x, static v =>
    {
        // Phi(v) = 1/2 + phi(v) (v + v^3 / 3 + v^5 / 15 + ...)
        double term = v, sum = v;
        for (int n = 3; Math.Abs(term) > 1e-18 * Math.Abs(sum); n += 2)
        {
            term *= v * v / n;
            sum += term;
        }

        return v * (0.5 + (sum * Math.Exp(-v * v / 2) / Math.Sqrt(2 * Math.PI)));
    });

    private double[] Norm(double[] x, string name)
    {
        (double[] w, double[] b) = (parameters[name + ".weight"], parameters[name + ".bias"]);
        var y = new double[x.Length];
        for (int row = 0; row < x.Length; row += w.Length)
        {
            double mean = x[row..(row + w.Length)].Average();
            double variance = x[row..(row + w.Length)].Average(v => (v - mean) * (v - mean));
            for (int i = 0; i < w.Length; i++)
            {
                y[row + i] = ((x[row + i] - mean) / Math.Sqrt(variance + config.NormEpsilon) * w[i]) + b[i];
            }
        }

        return y;
    }

    private double[] Dense(double[] x, string name)
    {
        (double[] w, double[] b) = (parameters[name + ".weight"], parameters[name + ".bias"]);
        int inputs = w.Length / b.Length;
        var y = new double[x.Length / inputs * b.Length];
        for (int i = 0; i < y.Length; i++)
        {
            int row = i / b.Length * inputs, o = i % b.Length;
            y[i] = b[o];
            for (int j = 0; j < inputs; j++)
            {
                y[i] += w[(o * inputs) + j] * x[row + j];
            }
        }

        return y;
    }

    private double[] Attention(double[] q, double[] k, double[] v, double[] tableQ, double[] tableK, Func<int, int> rowOf)
    {
        int hidden = config.Hidden, headDim = config.HeadDim, tokens = q.Length / hidden;
        var y = new double[q.Length];
        double Dot(double[] a, int atA, double[] b, int atB) => Enumerable.Range(0, headDim).Sum(d => a[atA + d] * b[atB + d]);
        for (int i = 0; i < tokens; i++)
        {
            for (int head = 0; head < hidden; head += headDim)
            {
                var scores = new double[tokens];
                for (int j = 0; j < tokens; j++)
                {
                    (int query, int key, int row) = ((i * hidden) + head, (j * hidden) + head, (rowOf(i - j) * hidden) + head);
                    scores[j] = Math.Exp((Dot(q, query, k, key) + Dot(q, query, tableK, row) + Dot(k, key, tableQ, row)) / Math.Sqrt(3 * headDim));
                }

                for (int j = 0; j < tokens; j++)
                {
                    for (int d = 0; d < headDim; d++)
                    {
                        y[(i * hidden) + head + d] += scores[j] / scores.Sum() * v[(j * hidden) + head + d];
                    }
                }
            }
        }

        return y;
    }
}
