namespace Puna.Models.Tests;

/// <summary>The forward pass of spec llama1-3.md 2.1 in double precision, one number at a time, over Hugging Face's names and row order (half-split rotation).</summary>
internal static class DenseOracle
{
    /// <summary>Logits of every token.</summary>
    /// <param name="m">The model; without <c>lm_head</c> its output is the embedding.</param>
    /// <param name="ids">The tokens.</param>
    /// <param name="frequencies">Radians per position of each pair; null means the unscaled ones.</param>
    /// <param name="magnitude">Factor on cosine and sine.</param>
    public static float[] Logits(TinyModel m, int[] ids, double[]? frequencies = null, double magnitude = 1)
    {
        frequencies ??= [.. Enumerable.Range(0, m.HeadDim / 2).Select(i => Math.Pow(TinyModel.Theta, -2.0 * i / m.HeadDim))];
        double[][] x = [.. ids.Select(id => Row(m, "model.embed_tokens.weight", id, m.Hidden))];
        for (int i = 0; i < m.Layers; i++)
        {
            string p = $"model.layers.{i}.";
            x = Add(x, Attention(m, p + "self_attn.", Norm(m, p + "input_layernorm.weight", x), frequencies, magnitude));
            x = Add(x, FeedForward(m, p + "mlp.", Norm(m, p + "post_attention_layernorm.weight", x)));
        }

        string output = m.Tensors.ContainsKey("lm_head.weight") ? "lm_head" : "model.embed_tokens";
        return [.. Linear(m, output, Norm(m, "model.norm.weight", x)).SelectMany(row => row).Select(v => (float)v)];
    }

    /// <summary>Logits of the last token of a long text, by a model of one layer and one head: other rows of attention do not matter to it.</summary>
    public static double[] LastLogits(TinyModel m, int[] ids, double[] frequencies)
    {
        // What a token brings along depends on which it is, not on where.
        double[][] x = [.. Enumerable.Range(0, m.Vocab).Select(id => Row(m, "model.embed_tokens.weight", id, m.Hidden))];
        double[][] normed = Norm(m, "model.layers.0.input_layernorm.weight", x);
        double[][] q = Linear(m, "model.layers.0.self_attn.q_proj", normed), k = Linear(m, "model.layers.0.self_attn.k_proj", normed), v = Linear(m, "model.layers.0.self_attn.v_proj", normed);
        int last = ids[^1];
        var query = (double[])q[last].Clone();
        Rotate(query, ids.Length - 1, frequencies, 1);
        double sum = 0;
        var seen = new double[m.HeadDim];
        for (int t = 0; t < ids.Length; t++)
        {
            var key = (double[])k[ids[t]].Clone();
            Rotate(key, t, frequencies, 1);
            double weight = Math.Exp(key.Zip(query, static (a, b) => a * b).Sum() / Math.Sqrt(m.HeadDim));
            sum += weight;
            for (int d = 0; d < m.HeadDim; d++)
            {
                seen[d] += weight * v[ids[t]][d];
            }
        }

        double[][] y = Add([x[last]], Linear(m, "model.layers.0.self_attn.o_proj", [[.. seen.Select(s => s / sum)]]));
        y = Add(y, FeedForward(m, "model.layers.0.mlp.", Norm(m, "model.layers.0.post_attention_layernorm.weight", y)));
        return Linear(m, "lm_head", Norm(m, "model.norm.weight", y))[0];
    }

    private static double[][] Attention(TinyModel m, string p, double[][] x, double[] frequencies, double magnitude)
    {
        double[][] q = Linear(m, p + "q_proj", x);
        double[][] k = Linear(m, p + "k_proj", x);
        double[][] v = Linear(m, p + "v_proj", x);
        for (int t = 0; t < x.Length; t++)
        {
            Rotate(q[t], t, frequencies, magnitude);
            Rotate(k[t], t, frequencies, magnitude);
        }

        double[][] y = [.. x.Select(_ => new double[m.Heads * m.HeadDim])];
        for (int h = 0; h < m.Heads; h++)
        {
            int own = h * m.HeadDim;
            int shared = h / (m.Heads / m.KvHeads) * m.HeadDim;
            for (int t = 0; t < x.Length; t++)
            {
                double[] weights = [.. Enumerable.Range(0, t + 1).Select(u =>
                    Math.Exp(Enumerable.Range(0, m.HeadDim).Sum(d => q[t][own + d] * k[u][shared + d]) / Math.Sqrt(m.HeadDim)))];
                for (int d = 0; d < m.HeadDim; d++)
                {
                    y[t][own + d] = weights.Select((w, u) => w * v[u][shared + d]).Sum() / weights.Sum();
                }
            }
        }

        return Linear(m, p + "o_proj", y);
    }

    private static double[][] FeedForward(TinyModel m, string p, double[][] x)
    {
        double[][] gate = Linear(m, p + "gate_proj", x);
        double[][] up = Linear(m, p + "up_proj", x);
        return Linear(m, p + "down_proj", [.. gate.Zip(up, (g, u) => g.Zip(u, (a, b) => a / (1 + Math.Exp(-a)) * b).ToArray())]);
    }

    private static void Rotate(double[] heads, int position, double[] frequencies, double magnitude)
    {
        int half = frequencies.Length;
        for (int h = 0; h < heads.Length; h += 2 * half)
        {
            for (int i = 0; i < half; i++)
            {
                (double sin, double cos) = Math.SinCos(position * frequencies[i]);
                (sin, cos) = (sin * magnitude, cos * magnitude);
                (double a, double b) = (heads[h + i], heads[h + i + half]);
                heads[h + i] = (a * cos) - (b * sin);
                heads[h + i + half] = (b * cos) + (a * sin);
            }
        }
    }

    private static double[][] Norm(TinyModel m, string name, double[][] x)
    {
        double[] weight = Row(m, name, 0, m.Hidden);
        return [.. x.Select(row =>
        {
            double scale = 1 / Math.Sqrt((row.Sum(v => v * v) / row.Length) + TinyModel.Epsilon);
            return row.Zip(weight, (v, w) => v * scale * w).ToArray();
        })];
    }

    private static double[][] Linear(TinyModel m, string name, double[][] x)
    {
        (long[] shape, _) = m.Tensors[name + ".weight"];
        double[][] weight = [.. Enumerable.Range(0, (int)shape[0]).Select(r => Row(m, name + ".weight", r, (int)shape[1]))];
        float[]? bias = m.Tensors.TryGetValue(name + ".bias", out (long[] Shape, float[] Values) found) ? found.Values : null;
        return [.. x.Select(row => weight.Select((w, r) => w.Zip(row, (a, b) => a * b).Sum() + (bias?[r] ?? 0)).ToArray())];
    }

    private static double[] Row(TinyModel m, string name, int row, int width) => [.. m.Tensors[name].Values.AsSpan(row * width, width).ToArray().Select(v => (double)v)];

    private static double[][] Add(double[][] a, double[][] b) => [.. a.Zip(b, (x, y) => x.Zip(y, (v, w) => v + w).ToArray())];
}
