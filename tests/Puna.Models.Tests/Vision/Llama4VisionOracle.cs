using Puna.Models.Vision;

namespace Puna.Models.Tests.Vision;

/// <summary>Llama 4's picture encoder as the page says it (spec llama4.md 4.5 to 4.8), in double precision, for one tile.</summary>
internal static class Llama4VisionOracle
{
    public static double[] Tokens(Llama4VisionConfig c, Dictionary<string, float[]> weights, float[] pixels)
    {
        const string E = "vision_embeddings.vision_encoder.";
        int g = c.Grid, n = (g * g) + 1, d = c.Hidden, p = c.PatchSize;
        var x = new double[n][];
        for (int t = 0; t < n; t++)
        {
            double[] patch = [.. Enumerable.Range(0, 3 * p * p).Select(i => t == n - 1 ? 0 : (double)pixels[(((i / (p * p) * c.ImageSize) + (t / g * p) + (i / p % p)) * c.ImageSize) + (t % g * p) + (i % p)])];
            x[t] = Linear(patch, E + "conv1._linear");
            for (int k = 0; k < d; k++)
            {
                x[t][k] += (t == n - 1 ? weights[E + "class_embedding"][k] : 0) + weights[E + "positional_embedding_vlm"][(t * d) + k];
            }

            x[t] = Norm(x[t], E + "ln_pre");
        }

        for (int layer = 0; layer < c.Layers; layer++)
        {
            string b = $"{E}transformer.resblocks.{layer}.";
            double[][] h = [.. x.Select(row => Norm(row, b + "ln_1"))];
            double[][] q = [.. h.Select((row, t) => Turn(Linear(row, b + "attn.wq"), t))], k = [.. h.Select((row, t) => Turn(Linear(row, b + "attn.wk"), t))], v = [.. h.Select(row => Linear(row, b + "attn.wv"))];
            for (int t = 0; t < n; t++)
            {
                var y = new double[d];
                for (int head = 0; head < c.Heads; head++)
                {
                    int o = head * c.HeadDim;
                    double[] s = [.. k.Select(key => Enumerable.Range(o, c.HeadDim).Sum(i => q[t][i] * key[i]) / Math.Sqrt(c.HeadDim))];
                    double total = s.Sum(static e => Math.Exp(e));
                    for (int i = o; i < o + c.HeadDim; i++)
                    {
                        y[i] = Enumerable.Range(0, n).Sum(j => Math.Exp(s[j]) / total * v[j][i]);
                    }
                }

                x[t] = [.. x[t].Zip(Linear(y, b + "attn.wo"), static (a, e) => a + e)];
                double[] up = [.. Linear(Norm(x[t], b + "ln_2"), b + "mlp.c_fc").Select(Gelu)];
                x[t] = [.. x[t].Zip(Linear(up, b + "mlp.c_proj"), static (a, e) => a + e)];
            }
        }

        x = [.. x.Select(row => Norm(row, E + "ln_post"))];
        int small = g / c.Shuffle;
        var result = new List<double>();
        for (int token = 0; token < small * small; token++)
        {
            double[] wide = [.. Enumerable.Range(0, c.Shuffle * c.Shuffle).SelectMany(i => x[(((token / small * c.Shuffle) + (i / c.Shuffle)) * g) + (token % small * c.Shuffle) + (i % c.Shuffle)])];
            double[] y = [.. Linear(wide, "vision_embeddings.vision_adapter.mlp.c_fc").Select(Gelu)];
            result.AddRange(Linear([.. Linear(y, "vision_embeddings.vision_adapter.mlp.c_proj").Select(Gelu)], "vision_projection"));
        }

        return [.. result];

        double[] Linear(double[] row, string name)
        {
            float[] w = weights[name + ".weight"];
            float[]? bias = weights.GetValueOrDefault(name + ".bias");
            return [.. Enumerable.Range(0, w.Length / row.Length).Select(o => row.Select((value, i) => value * w[(o * row.Length) + i]).Sum() + (bias?[o] ?? 0))];
        }

        double[] Norm(double[] row, string name)
        {
            double mean = row.Average(), variance = row.Average(value => (value - mean) * (value - mean));
            return [.. row.Select((value, i) => ((value - mean) / Math.Sqrt(variance + c.NormEpsilon) * weights[name + ".weight"][i]) + weights[name + ".bias"][i])];
        }

        double[] Turn(double[] row, int t)
        {
            var turned = new double[row.Length];
            for (int i = 0; i < row.Length; i += 2)
            {
                int pair = i % c.HeadDim / 2, quarter = c.HeadDim / 4;
                double angle = t == n - 1 ? 0 : ((pair < quarter ? t % g : t / g) + 1) * Math.Pow(c.RopeTheta, -2.0 * (pair % quarter) / (c.HeadDim / 2));
                turned[i] = (row[i] * Math.Cos(angle)) - (row[i + 1] * Math.Sin(angle));
                turned[i + 1] = (row[i] * Math.Sin(angle)) + (row[i + 1] * Math.Cos(angle));
            }

            return turned;
        }
    }

    // The error function by its series, which converges for the small values here.
    private static double Gelu(double x)
    {
        double z = x / Math.Sqrt(2), term = z, sum = z;
        for (int i = 1; i < 200; i++)
        {
            term *= -z * z / i;
            sum += term / ((2 * i) + 1);
        }

        return x * 0.5 * (1 + (2 / Math.Sqrt(Math.PI) * sum));
    }
}
