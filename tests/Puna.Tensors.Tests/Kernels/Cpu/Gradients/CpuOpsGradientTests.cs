using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Gradients;
using Puna.Tensors.Tests.Ops;

namespace Puna.Tensors.Tests.Kernels.Cpu.Gradients;

/// <summary>The kernels that go backwards, against their scalar twins in double; every path and number of threads gives the same bits; adding adds.</summary>
public sealed class CpuOpsGradientTests
{
    /// <summary>Of the largest element: float32 sums of a few hundred terms of size one, in another order.</summary>
    private const double Tolerance = 3e-6;

    [Theory]
    [InlineData(1, 3, 2)]
    [InlineData(7, 33, 17)]
    [InlineData(13, 16, 40)]
    [InlineData(100, 300, 130)]
    [InlineData(5, 513, 31)]
    [InlineData(300, 20, 25)]
    [InlineData(700, 9, 130)]
    public void MatMul(int tokens, int inputs, int outputs)
    {
        Tensor x = TestData.Random(1, tokens, inputs), w = TestData.Random(2, outputs, inputs), dy = TestData.Random(3, tokens, outputs);
        (double[] dx, double[] dw) = ScalarReference<double>.MatMulBack(Wide(dy), Wide(x), Wide(w), tokens, inputs, outputs);
        var weight = new Weight("w", w);
        OnEveryPath(dx, TestData.Random(4, tokens, inputs), (ops, to, add) => ops.MatMulInputBack(dy, weight, to, add));
        OnEveryPath(dw, TestData.Random(5, outputs, inputs), (ops, to, _) => ops.MatMulWeightBack(dy, x, to), adds: true);
    }

    [Theory]
    [InlineData(1, 3, 2)]
    [InlineData(40, 300, 37)]
    [InlineData(97, 256, 130)]
    public void ProductsOfManyRowsHaveTheBitsOfFewRows(int tokens, int inputs, int outputs)
    {
        Tensor x = TestData.Random(1, tokens, inputs);
        var weight = new Weight("w", TestData.Random(2, outputs, inputs));
        using var ops = new CpuOps(2);
        float[] whole = Product(ops, x, weight);
        for (int t = 0; t < tokens; t++)
        {
            Assert.Equal(Product(ops, x.Slice(t, 1), weight), whole[(t * outputs)..((t + 1) * outputs)]);
        }

        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            using var others = new CpuOps(3, path);
            Assert.Equal(whole, Product(others, x, weight));
        }
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(5, 37)]
    [InlineData(33, 64)]
    public void RmsNorm(int tokens, int columns)
    {
        Tensor x = TestData.Random(1, tokens, columns), w = TestData.Random(2, columns), dy = TestData.Random(3, tokens, columns);
        (double[] dx, double[] dw) = ScalarReference<double>.RmsNormBack(Wide(dy), Wide(x), Wide(w), 1e-5f);
        var weight = new Weight("w", w);
        Tensor other = Tensor.Create(x.Shape);
        OnEveryPath(dx, TestData.Random(4, tokens, columns), (ops, to, add) => ops.RmsNormBack(dy, x, weight, 1e-5f, to, add, null));
        OnEveryPath(dw, TestData.Random(5, columns), (ops, to, _) => ops.RmsNormBack(dy, x, weight, 1e-5f, other, false, to), adds: true);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(5, 37)]
    [InlineData(33, 64)]
    public void LayerNorm(int tokens, int columns)
    {
        Tensor x = TestData.Random(1, tokens, columns), w = TestData.Random(2, columns), dy = TestData.Random(3, tokens, columns);
        (double[] dx, double[] dw, double[] db) = EncoderReference<double>.LayerNormBack(Wide(dy), Wide(x), Wide(w), 1e-3f);
        var weight = new Weight("w", w);
        Tensor other = Tensor.Create(x.Shape);
        OnEveryPath(dx, TestData.Random(4, tokens, columns), (ops, to, add) => ops.LayerNormBack(dy, x, weight, 1e-3f, to, add, null, null));
        OnEveryPath(dw, TestData.Random(5, columns), (ops, to, _) => ops.LayerNormBack(dy, x, weight, 1e-3f, other, false, to, null), adds: true);
        OnEveryPath(db, TestData.Random(6, columns), (ops, to, _) => ops.LayerNormBack(dy, x, weight, 1e-3f, other, false, null, to), adds: true);
    }

    [Fact]
    public void Gelu()
    {
        Tensor dy = TestData.Random(2, 3, 6007);
        Tensor x = Tensor.From([.. TestData.Random(1, 3, 6007).Values().Select(static v => v * 6)], dy.Shape);
        double[] dx = EncoderReference<double>.GeluBack(Wide(dy), Wide(x));
        OnEveryPath(dx, TestData.Random(4, 3, 6007), (ops, to, add) => ops.GeluBack(dy, x, to, add));
    }

    [Theory]
    [InlineData(1, 1, 2)]
    [InlineData(5, 3, 22)]
    [InlineData(33, 2, 64)]
    public void HeadNorm(int tokens, int heads, int headDim)
    {
        Tensor x = TestData.Random(1, tokens, heads * headDim), dy = TestData.Random(3, tokens, heads * headDim);
        double[] expected = Slope(x, dy, row =>
        {
            var y = new double[row.Length];
            for (int h = 0; h < heads; h++)
            {
                double scale = 1 / Math.Sqrt(row[(h * headDim)..((h + 1) * headDim)].Average(static v => v * v) + 1e-5f);
                for (int i = h * headDim; i < (h + 1) * headDim; i++)
                {
                    y[i] = row[i] * scale;
                }
            }

            return y;
        });
        OnEveryPath(expected, TestData.Random(4, tokens, heads * headDim), (ops, to, add) => ops.HeadNormBack(dy, x, headDim, 1e-5f, to, add));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 37)]
    [InlineData(40, 512)]
    public void ScaleRows(int rows, int columns)
    {
        Tensor x = TestData.Random(1, rows, columns), scales = TestData.Random(2, rows, 1), dy = TestData.Random(3, rows, columns);
        double[] s = Wide(scales), wide = Wide(x), d = Wide(dy);
        double[] dx = [.. d.Select((v, i) => v * s[i / columns])];
        double[] ds = [.. Enumerable.Range(0, rows).Select(r => Enumerable.Range(r * columns, columns).Sum(i => d[i] * wide[i]))];
        Tensor otherX = Tensor.Create(x.Shape), otherS = Tensor.Create(scales.Shape);
        OnEveryPath(dx, TestData.Random(4, rows, columns), (ops, to, add) => ops.ScaleRowsBack(dy, x, scales, to, add, otherS, false));
        OnEveryPath(ds, TestData.Random(5, rows, 1), (ops, to, add) => ops.ScaleRowsBack(dy, x, scales, otherX, false, to, add));
    }

    [Fact]
    public void GateScores()
    {
        Tensor logits = TestData.Random(1, 6, 4), dy = TestData.Random(2, 3, 1);
        int[] rows = [0, 2, 5];
        double[] z = Wide(logits), d = Wide(dy);
        var expected = new double[24];
        for (int i = 0; i < rows.Length; i++)
        {
            // The slope of the sigmoid by central differences, in double.
            int at = (rows[i] * 4) + 3;
            expected[at] = d[i] * (Sigmoid(z[at] + 1e-5) - Sigmoid(z[at] - 1e-5)) / 2e-5;
        }

        OnEveryPath(expected, TestData.Random(4, 6, 4), (ops, to, _) => ops.GateScoresBack(dy, ops.GateScores(logits, rows, 3), rows, 3, to), adds: true);
        using var forward = new CpuOps(1);
        Assert.InRange(Difference([.. rows.Select(r => Sigmoid(z[(r * 4) + 3]))], forward.GateScores(logits, rows, 3).Values()), 0, 1e-6);

        static double Sigmoid(double v) => 1 / (1 + Math.Exp(-v));
    }

    /// <summary>The gradient of a function of rows, by central differences in double.</summary>
    internal static double[] Slope(Tensor x, Tensor dy, Func<double[], double[]> function)
    {
        const double Step = 1e-6;
        int columns = (int)x.Columns;
        double[] values = Wide(x), d = Wide(dy), slope = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            int first = i / columns * columns;
            double[] row = values[first..(first + columns)];
            row[i - first] += Step;
            double[] above = function(row);
            row[i - first] -= 2 * Step;
            double[] below = function(row);
            for (int k = 0; k < columns; k++)
            {
                slope[i] += d[first + k] * (above[k] - below[k]) / (2 * Step);
            }
        }

        return slope;
    }

    [Fact]
    public void SwiGlu()
    {
        Tensor a = TestData.Random(1, 3, 6007), b = TestData.Random(2, 3, 6007), dy = TestData.Random(3, 3, 6007);
        (double[] da, double[] db) = ScalarReference<double>.SwiGluBack(Wide(dy), Wide(a), Wide(b));
        Tensor other = Tensor.Create(a.Shape);
        OnEveryPath(da, TestData.Random(4, 3, 6007), (ops, to, add) => ops.SwiGluBack(dy, a, b, to, add, other, false));
        OnEveryPath(db, TestData.Random(5, 3, 6007), (ops, to, add) => ops.SwiGluBack(dy, a, b, other, false, to, add));
    }

    [Theory]
    [InlineData(RopeLayout.Interleaved)]
    [InlineData(RopeLayout.HalfSplit)]
    public void Rope(RopeLayout layout)
    {
        Tensor angles = TestData.Random(1, 5, 4), dy = TestData.Random(2, 5, 24);
        Tensor cos = Tensor.From([.. angles.Values().Select(MathF.Cos)], angles.Shape), sin = Tensor.From([.. angles.Values().Select(MathF.Sin)], angles.Shape);
        double[] dx = ScalarReference<double>.RopeBack(Wide(dy), Wide(cos), Wide(sin), 5, 3, 8, layout);
        OnEveryPath(dx, TestData.Random(3, 5, 24), (ops, to, add) => ops.RopeBack(dy, cos, sin, layout, to, add));
    }

    [Theory]
    [InlineData(1, 1, 8, new[] { 1 })]
    [InlineData(4, 2, 8, new[] { 7, 1, 64 })]
    [InlineData(6, 1, 20, new[] { 33, 50 })]
    [InlineData(2, 2, 64, new[] { 257 })]
    public void Attention(int heads, int kvHeads, int headDim, int[] lengths)
    {
        int tokens = lengths.Sum();
        Tensor q = TestData.Random(1, tokens, heads * headDim), k = TestData.Random(2, tokens, kvHeads * headDim), v = TestData.Random(3, tokens, kvHeads * headDim);
        Tensor dy = TestData.Random(4, tokens, heads * headDim);
        var batch = new Batch();
        int[] first = new int[tokens], end = new int[tokens];
        int at = 0;
        foreach (int length in lengths)
        {
            batch.Add(new int[length], 0, BatchOutputs.None);
            for (int i = 0; i < length; i++)
            {
                (first[at + i], end[at + i]) = (at, at + i + 1);
            }

            at += length;
        }

        var plan = new AttentionPlan();
        plan.SetCausal(batch);
        (double[] dq, double[] dk, double[] dv) = ScalarReference<double>.AttentionBack(Wide(dy), Wide(q), Wide(k), Wide(v), heads, kvHeads, headDim, first, end);
        Tensor o1 = Tensor.Create(q.Shape), o2 = Tensor.Create(k.Shape), o3 = Tensor.Create(k.Shape);
        OnEveryPath(dq, TestData.Random(5, tokens, heads * headDim), (ops, to, add) => ops.AttentionBack(dy, q, k, v, plan, headDim, to, add, o2, false, o3, false));
        OnEveryPath(dk, TestData.Random(6, tokens, kvHeads * headDim), (ops, to, add) => ops.AttentionBack(dy, q, k, v, plan, headDim, o1, false, to, add, o3, false));
        OnEveryPath(dv, TestData.Random(7, tokens, kvHeads * headDim), (ops, to, add) => ops.AttentionBack(dy, q, k, v, plan, headDim, o1, false, o2, false, to, add));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(9, 33)]
    [InlineData(5, 320)]
    public void CrossEntropy(int rows, int columns)
    {
        Tensor z = TestData.Random(1, rows, columns);
        int[] targets = [.. Enumerable.Range(0, rows).Select(i => i * 7 % columns)];
        float[] scales = [.. Enumerable.Range(0, rows).Select(static i => i % 3 * 0.5f)];
        double[] expected = ScalarReference<double>.CrossEntropyBack(Wide(z), targets, Array.ConvertAll(scales, static s => (double)s), columns);
        double[] losses = ScalarReference<double>.CrossEntropy(Wide(z), targets, columns);
        float[] nll = new float[rows];
        OnEveryPath(expected, Tensor.Create(z.Shape), (ops, to, _) =>
        {
            z.Values().CopyTo(to.Storage.Span<float>(0, rows * columns));
            ops.CrossEntropy(to, targets, scales, nll);
            Assert.InRange(nll.Zip(losses, static (a, b) => Math.Abs(a - b)).Max(), 0, 3e-6);
        }, overwrites: true);
        using var one = new CpuOps(1);
        Assert.Throws<PunaException>(() => one.CrossEntropy(z, [.. targets.Select(_ => columns)], scales, nll));
    }

    [Fact]
    public void GatherAddsRowsThatOccurTwice()
    {
        Tensor dy = TestData.Random(1, 4, 70);
        double[] values = Wide(dy), expected = new double[3 * 70];
        int[] rows = [2, 0, 2, 2];
        for (int t = 0; t < 4; t++)
        {
            for (int i = 0; i < 70; i++)
            {
                expected[(rows[t] * 70) + i] += values[(t * 70) + i];
            }
        }

        OnEveryPath(expected, TestData.Random(2, 3, 70), (ops, to, _) => ops.GatherBack(dy, rows, to), adds: true);
        using var one = new CpuOps(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => one.GatherBack(dy, [0, 1, 2, 3], Tensor.Create(new Shape(3, 70))));
    }

    [Fact]
    public void ABiasGetsTheSumOfItsColumns()
    {
        Tensor dy = TestData.Random(1, 9, 45);
        double[] values = Wide(dy), expected = new double[45];
        for (int i = 0; i < values.Length; i++)
        {
            expected[i % 45] += values[i];
        }

        OnEveryPath(expected, TestData.Random(2, 45), (ops, to, _) => ops.AddBiasBack(dy, to), adds: true);
    }

    [Fact]
    public void AdamWIsItsFormula()
    {
        const int Count = 20_011;
        Tensor gradient = TestData.Random(2, Count), first = Tensor.Create(new Shape(Count)), second = Tensor.Create(new Shape(Count));
        double[] w = Wide(TestData.Random(1, Count)), g = Wide(gradient), m = new double[Count], u = new double[Count];
        Tensor values = TestData.Random(1, Count);
        using var ops = new CpuOps(2);
        for (int step = 1; step <= 3; step++)
        {
            ops.AdamW(values, gradient, first, second, new AdamWConstants(step, 1e-2f, 0.9f, 0.95f, 1e-5f, 0.1f, 0.5f));
            for (int i = 0; i < Count; i++)
            {
                double scaled = g[i] * 0.5;
                m[i] = (0.9 * m[i]) + (0.1 * scaled);
                u[i] = (0.95 * u[i]) + (0.05 * scaled * scaled);
                w[i] -= 1e-2 * 0.1 * w[i];
                w[i] -= 1e-2 * (m[i] / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(u[i] / (1 - Math.Pow(0.95, step))) + 1e-5);
            }
        }

        Assert.InRange(Difference(w, values.Values()), 0, 1e-6);
    }

    [Fact]
    public void SquareSumsAreDouble()
    {
        Tensor x = TestData.Random(1, 50_021);
        double expected = Wide(x).Sum(static v => v * v);
        foreach (int threads in new[] { 1, 2, 5 })
        {
            using var ops = new CpuOps(threads);
            Assert.Equal(expected, ops.SquareSum(x), 1e-8);
        }
    }

    private static float[] Product(CpuOps ops, Tensor x, Weight w)
    {
        Tensor y = default;
        ops.MatMul(x, [w], new Span<Tensor>(ref y));
        return y.Values();
    }

    internal static double[] Wide(Tensor x) => Array.ConvertAll(x.Values(), static v => (double)v);

    private static double Difference(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = Math.Max(1e-3, expected.Max(Math.Abs));
        return expected.Zip(actual, static (a, b) => Math.Abs(a - b)).Max() / largest;
    }

    /// <summary>Runs a gradient on all paths, into a tensor that holds something.</summary>
    /// <param name="expected">The gradient alone.</param>
    /// <param name="before">What the tensor holds; it must be left out where the gradient is not added.</param>
    /// <param name="run">Told where to, and whether to add.</param>
    /// <param name="adds">Whether the gradient is always added.</param>
    /// <param name="overwrites">Whether it never is.</param>
    internal static void OnEveryPath(double[] expected, Tensor before, Action<CpuOps, Tensor, bool> run, bool adds = false, bool overwrites = false)
    {
        double[] sum = Wide(before).Zip(expected, static (a, b) => a + b).ToArray();
        float[]? bits = null, added = null;
        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            foreach (int threads in new[] { 1, 3 })
            {
                using var ops = new CpuOps(threads, path);
                if (!adds)
                {
                    float[] result = Run(false);
                    Assert.InRange(Difference(expected, result), 0, Tolerance);
                    Assert.Equal(bits ??= result, result);
                }

                if (!overwrites)
                {
                    float[] result = Run(true);
                    Assert.InRange(Difference(sum, result), 0, Tolerance);
                    Assert.Equal(added ??= result, result);
                }

                float[] Run(bool add)
                {
                    Tensor to = Tensor.From(before.Values(), before.Shape);
                    run(ops, to, add);
                    return to.Values();
                }
            }
        }
    }
}
