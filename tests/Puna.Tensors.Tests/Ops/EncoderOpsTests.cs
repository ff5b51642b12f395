using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Gradients;

namespace Puna.Tensors.Tests.Ops;

/// <summary>The operations of encoders against plain loops in double, and every path and number of threads against the scalar twin, bit by bit.</summary>
public sealed class EncoderOpsTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 7)]
    [InlineData(2, 16)]
    [InlineData(40, 100)]
    [InlineData(3, 768)]
    public void LayerNorm(int tokens, int columns)
    {
        // A mean far from zero, which a variance as mean of squares less square of the mean would not survive.
        Tensor x = Tensor.From([.. TestData.Random(1, tokens, columns).Values().Select(static v => v + 30f)], new Shape(tokens, columns));
        var w = new Weight("w", TestData.Random(2, columns));
        var b = new Weight("b", TestData.Random(3, columns));
        double[] expected = EncoderReference<double>.LayerNorm(Wide(x), Wide(w.Master), Wide(b.Master), 1e-7f);

        // Values near 30 are known to 2e-6, and the norm divides by a deviation of about 0.6.
        OnEveryPath(expected, 1e-5, ops => ops.LayerNorm(x, w, b, 1e-7f));
    }

    [Fact]
    public void Gelu()
    {
        float[] values = [0f, -0f, 1e-30f, 0.5f, -0.5f, 1f, -1f, 2.5f, -2.5f, 5f, -5f, 9f, -9f, 13f, -13f, 19f, -19f, .. Enumerable.Range(0, 5000).Select(static i => (i - 2500) / 250f)];
        Tensor x = Tensor.From(values, new Shape(1, values.Length));

        // Rounding of values up to 19, and 5e-7 of tails that are at most 0.17.
        OnEveryPath(EncoderReference<double>.Gelu(Wide(x)), 1e-6, ops => ops.Gelu(x));
    }

    [Fact]
    public void TailsOfGeluAreRightRelatively()
    {
        float[] values = [.. Enumerable.Range(1, 500).Select(static i => -i / 50f)];
        using var ops = new CpuOps(1);
        float[] y = ops.Gelu(Tensor.From(values, new Shape(1, values.Length))).Values();
        for (int i = 0; i < values.Length; i++)
        {
            // Phi(-10) is 7.6e-24: to double's rounding of 1/2 the series of the reference says nothing beyond -4, so Mills' continued fraction is asked there.
            double a = -values[i], fraction = a;
            for (int n = 400; n >= 1; n--)
            {
                fraction = a + (n / fraction);
            }

            double expected = -a * Math.Exp(-a * a / 2) / Math.Sqrt(2 * Math.PI) / fraction;
            if (a >= 1)
            {
                // The exponent of up to 50 is rounded to 2e-6.
                Assert.InRange(Math.Abs((y[i] / expected) - 1), 0, 4e-6);
            }
        }
    }

    [Fact]
    public void SpecialNumbersOfGelu()
    {
        float[] values = [float.PositiveInfinity, float.NegativeInfinity, float.NaN, 3e38f, -3e38f];
        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            using var ops = new CpuOps(1, path);
            float[] y = ops.Gelu(Tensor.From(values, new Shape(1, values.Length))).Values();
            Assert.Equal((float.PositiveInfinity, 3e38f), (y[0], y[3]));
            Assert.True(float.IsNaN(y[2]));
            Assert.InRange(y[1], -1e-30f, 0);
            Assert.InRange(y[4], -1e-30f, 0);
        }
    }

    [Theory]
    [InlineData(1, 4, new[] { 1 })]
    [InlineData(4, 12, new[] { 9, 1, 60 })]
    [InlineData(2, 64, new[] { 130, 17 })]
    [InlineData(3, 20, new[] { 33 })]
    public void DisentangledAttention(int heads, int headDim, int[] lengths)
    {
        const int Rows = 20;
        int tokens = lengths.Sum(), width = heads * headDim;
        Tensor q = TestData.Random(1, tokens, width), k = TestData.Random(2, tokens, width), v = TestData.Random(3, tokens, width);
        Tensor rq = TestData.Random(4, Rows, width), rk = TestData.Random(5, Rows, width);
        int[] starts = Starts(lengths), distances = Distances(lengths.Max() + 3, Rows);
        double[] expected = EncoderReference<double>.DisentangledAttention(Wide(q), Wide(k), Wide(v), Wide(rq), Wide(rk), starts, d => distances[d + (distances.Length / 2)], heads, headDim);

        // Scores are sums of at most 192 products below one.
        OnEveryPath(expected, 2e-6, ops => ops.DisentangledAttention(q, k, v, rq, rk, starts, distances, headDim));
    }

    [Fact]
    public void ASequenceDoesNotDependOnItsNeighbours()
    {
        int[] lengths = [70, 3, 200];
        Tensor q = TestData.Random(1, 273, 24), k = TestData.Random(2, 273, 24), v = TestData.Random(3, 273, 24), rq = TestData.Random(4, 20, 24), rk = TestData.Random(5, 20, 24);
        int[] starts = Starts(lengths), distances = Distances(200, 20);
        using var ops = new CpuOps(2);
        float[] together = ops.DisentangledAttention(q, k, v, rq, rk, starts, distances, 8).Values();
        for (int s = 0; s < lengths.Length; s++)
        {
            Tensor Own(Tensor x) => x.Slice(starts[s], lengths[s]);
            Assert.Equal(together[(starts[s] * 24)..(starts[s + 1] * 24)], ops.DisentangledAttention(Own(q), Own(k), Own(v), rq, rk, [0, lengths[s]], distances, 8).Values());
        }
    }

    [Fact]
    public void WrongPlacesAreRefused()
    {
        using var ops = new CpuOps(1);
        Tensor x = TestData.Random(1, 3, 8), table = TestData.Random(2, 4, 8);
        void Refused(int[] starts, int[] distances, int headDim = 4) =>
            Assert.Throws<InvalidOperationException>(() => ops.DisentangledAttention(x, x, x, table, table, starts, distances, headDim));
        Refused([0, 3], [0, 1, 2]); // a distance is missing
        Refused([0, 3], [0, 1, 2, 3, 4]); // no such row
        Refused([0, 3], [0, 1, 0, 3, 3]); // falls
        Refused([0, 2], [0, 1, 2, 3, 3]); // a token belongs to no sequence
        Refused([0, 3, 3], [0, 1, 2, 3, 3]); // an empty sequence
        Refused([0, 3], [0, 1, 2, 3, 3], 3); // no whole heads
        Assert.Equal(24, ops.DisentangledAttention(x, x, x, table, table, [0, 3], [0, 1, 2, 3, 3], 4).Values().Length);
    }

    private static int[] Starts(int[] lengths) => [0, .. lengths.Select((_, i) => lengths[..(i + 1)].Sum())];

    /// <summary>Near distances have a row each, far ones share the outermost.</summary>
    private static int[] Distances(int farthest, int rows) => [.. Enumerable.Range(-farthest, (2 * farthest) + 1).Select(d => Math.Clamp(d + (rows / 2), 0, rows - 1))];

    private static double[] Wide(Tensor x) => Array.ConvertAll(x.Values(), static v => (double)v);

    private static void OnEveryPath(double[] expected, double tolerance, Func<CpuOps, Tensor> run)
    {
        using var scalar = new CpuOps(1, CpuPath.Scalar);
        float[] twin = run(scalar).Values();
        Assert.InRange(expected.Zip(twin, static (a, b) => Math.Abs(a - b)).Max(), 0, tolerance);
        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            foreach (int threads in new[] { 1, 3 })
            {
                using var ops = new CpuOps(threads, path);
                Assert.Equal(twin, run(ops).Values());
            }
        }
    }
}
