using Puna.Tensors.Kernels.Cpu.Gradients;

namespace Puna.Tensors.Tests.Kernels.Cpu.Gradients;

/// <summary>The gradients that the kernels are measured against, by central differences in double: the definition of a derivative.</summary>
public sealed class ScalarReferenceTests
{
    private const double Step = 1e-5;

    /// <summary>Central differences are off by the square of the step (1e-10) and by rounding over the step (1e-11); a missing factor is off by more than 1e-3.</summary>
    private const double Tolerance = 1e-8;

    private readonly Random _random = new(7);

    [Fact]
    public void MatMul()
    {
        double[] x = Random(3 * 5), w = Random(4 * 5), dy = Random(3 * 4);
        (double[] dx, double[] dw) = ScalarReference<double>.MatMulBack(dy, x, w, 3, 5, 4);
        Check(x, dx, dy, () => ScalarReference<double>.MatMul(x, w, 3, 5, 4));
        Check(w, dw, dy, () => ScalarReference<double>.MatMul(x, w, 3, 5, 4));
    }

    [Fact]
    public void RmsNorm()
    {
        double[] x = Random(3 * 7), w = Random(7), dy = Random(3 * 7);
        (double[] dx, double[] dw) = ScalarReference<double>.RmsNormBack(dy, x, w, 1e-3);
        Check(x, dx, dy, () => ScalarReference<double>.RmsNorm(x, w, 1e-3));
        Check(w, dw, dy, () => ScalarReference<double>.RmsNorm(x, w, 1e-3));
    }

    [Fact]
    public void LayerNorm()
    {
        double[] x = Random(3 * 7), w = Random(7), b = Random(7), dy = Random(3 * 7);
        (double[] dx, double[] dw, double[] db) = EncoderReference<double>.LayerNormBack(dy, x, w, 1e-3);
        Check(x, dx, dy, () => EncoderReference<double>.LayerNorm(x, w, b, 1e-3));
        Check(w, dw, dy, () => EncoderReference<double>.LayerNorm(x, w, b, 1e-3));
        Check(b, db, dy, () => EncoderReference<double>.LayerNorm(x, w, b, 1e-3));
    }

    [Fact]
    public void Gelu()
    {
        double[] x = [.. Random(11), 3, -3, 0], dy = Random(14);
        Check(x, EncoderReference<double>.GeluBack(dy, x), dy, () => EncoderReference<double>.Gelu(x));
    }

    [Fact]
    public void SwiGlu()
    {
        double[] a = Random(11), b = Random(11), dy = Random(11);
        (double[] da, double[] db) = ScalarReference<double>.SwiGluBack(dy, a, b);
        Check(a, da, dy, () => ScalarReference<double>.SwiGlu(a, b));
        Check(b, db, dy, () => ScalarReference<double>.SwiGlu(a, b));
    }

    [Theory]
    [InlineData(RopeLayout.Interleaved)]
    [InlineData(RopeLayout.HalfSplit)]
    public void Rope(RopeLayout layout)
    {
        double[] x = Random(3 * 2 * 6), dy = Random(x.Length), angles = Random(3 * 3);
        double[] cos = Array.ConvertAll(angles, Math.Cos), sin = Array.ConvertAll(angles, Math.Sin);
        Check(x, ScalarReference<double>.RopeBack(dy, cos, sin, 3, 2, 6, layout), dy, () => ScalarReference<double>.Rope(x, cos, sin, 3, 2, 6, layout));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 2)]
    [InlineData(4, 1)]
    public void Attention(int heads, int kvHeads)
    {
        const int Tokens = 6, HeadDim = 4;
        int[] first = [0, 0, 0, 3, 3, 3], end = [1, 2, 3, 4, 5, 6];
        double[] q = Random(Tokens * heads * HeadDim), k = Random(Tokens * kvHeads * HeadDim), v = Random(k.Length), dy = Random(q.Length);
        (double[] dq, double[] dk, double[] dv) = ScalarReference<double>.AttentionBack(dy, q, k, v, heads, kvHeads, HeadDim, first, end);
        double[] Forward() => ScalarReference<double>.Attention(q, k, v, heads, kvHeads, HeadDim, first, end);
        Check(q, dq, dy, Forward);
        Check(k, dk, dy, Forward);
        Check(v, dv, dy, Forward);
    }

    [Fact]
    public void DisentangledAttention()
    {
        const int Heads = 2, HeadDim = 3, Rows = 5;
        int[] starts = [0, 4, 5, 8];
        double[] q = Random(8 * Heads * HeadDim), k = Random(q.Length), v = Random(q.Length), rq = Random(Rows * Heads * HeadDim), rk = Random(rq.Length), dy = Random(q.Length);
        (double[] dq, double[] dk, double[] dv, double[] drq, double[] drk) = EncoderReference<double>.DisentangledAttentionBack(dy, q, k, v, rq, rk, starts, Row, Heads, HeadDim);
        double[] Forward() => EncoderReference<double>.DisentangledAttention(q, k, v, rq, rk, starts, Row, Heads, HeadDim);
        Check(q, dq, dy, Forward);
        Check(k, dk, dy, Forward);
        Check(v, dv, dy, Forward);
        Check(rq, drq, dy, Forward);
        Check(rk, drk, dy, Forward);
        static int Row(int distance) => Math.Clamp(distance + 2, 0, Rows - 1);
    }

    [Fact]
    public void CrossEntropy()
    {
        double[] z = Random(3 * 5), scales = [0.5, 0, 2];
        int[] targets = [4, 1, 0];
        Check(z, ScalarReference<double>.CrossEntropyBack(z, targets, scales, 5), scales, () => ScalarReference<double>.CrossEntropy(z, targets, 5));
    }

    private double[] Random(int count) => [.. Enumerable.Range(0, count).Select(_ => (_random.NextDouble() * 2) - 1)];

    /// <summary>Compares a gradient with the change of sum(dy y) when one input moves.</summary>
    private static void Check(double[] x, double[] gradient, double[] dy, Func<double[]> forward)
    {
        Assert.Equal(x.Length, gradient.Length);
        for (int i = 0; i < x.Length; i++)
        {
            double at = x[i];
            x[i] = at + Step;
            double above = Sum(forward(), dy);
            x[i] = at - Step;
            double below = Sum(forward(), dy);
            x[i] = at;
            Assert.Equal((above - below) / (2 * Step), gradient[i], Tolerance);
        }
    }

    private static double Sum(double[] y, double[] dy) => y.Zip(dy, static (a, b) => a * b).Sum();
}
