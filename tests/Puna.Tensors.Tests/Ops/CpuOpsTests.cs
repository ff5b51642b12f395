using Puna.Tensors.Kernels.Cpu;

namespace Puna.Tensors.Tests.Ops;

public sealed class CpuOpsTests
{
    // The 512-bit kernels use portable vectors only, so every machine can run them, if slowly.
    public static TheoryData<CpuPath> Paths => [CpuPath.Scalar, CpuPath.Vector128, CpuPath.Avx2, CpuPath.Avx512];

    [Theory]
    [MemberData(nameof(Paths))]
    public void MatMulMatchesDoubleAndTheScalarTwin(CpuPath path)
    {
        foreach ((int tokens, int rows, int columns) in new[] { (1, 1, 16), (1, 37, 64), (2, 12, 48), (5, 29, 80), (9, 24, 172), (3, 7, 5), (64, 50, 256) })
        {
            Tensor x = TestData.Random(1, tokens, columns);
            var w = new Weight("w", TestData.Random(2, rows, columns));
            float[] y = MatMul(path, 1, x, w);
            float[] twin = MatMul(CpuPath.Scalar, 1, x, w);
            Assert.Equal(twin, y);
            for (int t = 0; t < tokens; t++)
            {
                for (int r = 0; r < rows; r++)
                {
                    double sum = 0;
                    for (int i = 0; i < columns; i++)
                    {
                        sum += (double)x.Row<float>(t)[i] * w.Master.Row<float>(r)[i];
                    }

                    // Products below 1, at most 256 of them, in 16 chains: a few units of 2^-24 per step.
                    Assert.Equal(sum, y[(t * rows) + r], 1e-5);
                }
            }
        }
    }

    [Fact]
    public void ARowDoesNotDependOnItsNeighboursOrThreads()
    {
        Tensor x = TestData.Random(3, 33, 96);
        var w = new Weight("w", TestData.Random(4, 1000, 96));
        float[] together = MatMul(CpuFeatures.Chosen, 2, x, w);
        for (int t = 0; t < 33; t++)
        {
            Assert.Equal(together.AsSpan(t * 1000, 1000).ToArray(), MatMul(CpuFeatures.Chosen, 1, x.Slice(t, 1), w));
        }

        Assert.Equal(together, MatMul(CpuFeatures.Chosen, 5, x, w));
    }

    [Fact]
    public void MatMulReadsEveryWeightTypeExactly()
    {
        Tensor x = TestData.Random(5, 3, 64);
        Tensor half = Tensor.Create(new Shape(10, 64), DType.F16);
        Tensor same = Tensor.Create(new Shape(10, 64));
        Tensor source = TestData.Random(6, 10, 64);
        for (int r = 0; r < 10; r++)
        {
            for (int i = 0; i < 64; i++)
            {
                half.Row<Half>(r)[i] = (Half)source.Row<float>(r)[i];
                same.Row<float>(r)[i] = (float)(Half)source.Row<float>(r)[i];
            }
        }

        Assert.Equal(MatMul(CpuFeatures.Chosen, 1, x, new Weight("same", same)), MatMul(CpuFeatures.Chosen, 1, x, new Weight("half", half)));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void RmsNormMatchesDoubleAndTheScalarTwin(CpuPath path)
    {
        foreach (int columns in new[] { 1, 7, 16, 24, 64, 100 })
        {
            Tensor x = TestData.Random(7, 3, columns);
            var w = new Weight("norm", TestData.Random(8, columns));
            using var ops = new CpuOps(1, path);
            using var scalar = new CpuOps(1, CpuPath.Scalar);
            float[] y = ops.RmsNorm(x, w, 1e-5f).Values();
            Assert.Equal(scalar.RmsNorm(x, w, 1e-5f).Values(), y);
            for (int r = 0; r < 3; r++)
            {
                double sum = 0;
                foreach (float v in x.Row<float>(r))
                {
                    sum += (double)v * v;
                }

                double scale = 1 / Math.Sqrt((sum / columns) + 1e-5);
                for (int i = 0; i < columns; i++)
                {
                    Assert.Equal(x.Row<float>(r)[i] * scale * w.Master.Row<float>(0)[i], y[(r * columns) + i], 1e-5);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void SwiGluMatchesDoubleAndTheScalarTwin(CpuPath path)
    {
        float[] gates = [0f, -0f, 1f, -1f, 5.5f, -5.5f, 20f, -20f, 88f, -88f, 200f, -200f, 1e-20f, 3e38f, -3e38f, 0.3f, -0.7f];
        Tensor gate = Tensor.From(gates, new Shape(1, gates.Length));
        Tensor up = TestData.Random(9, 1, gates.Length);
        using var ops = new CpuOps(1, path);
        using var scalar = new CpuOps(1, CpuPath.Scalar);
        float[] y = ops.SwiGlu(gate, up).Values();
        Assert.Equal(scalar.SwiGlu(gate, up).Values(), y);
        for (int i = 0; i < gates.Length; i++)
        {
            double expected = gates[i] / (1 + Math.Exp(-(double)gates[i])) * up.Row<float>(0)[i];
            // e^x within 2 units in the last place; below e^-87 the result is cut, which is less than 1e-35.
            Assert.True(Math.Abs(expected - y[i]) <= (Math.Abs(expected) * 4e-7) + 1e-35, $"{gates[i]}: {expected} {y[i]}");
        }
    }

    [Fact]
    public void NotANumberIsNotHidden()
    {
        Tensor gate = Tensor.From([float.NaN], new Shape(1, 1));
        Tensor up = Tensor.From([1f], new Shape(1, 1));
        foreach (CpuPath path in new[] { CpuPath.Scalar, CpuPath.Avx2, CpuPath.Avx512 })
        {
            using var ops = new CpuOps(1, path);
            Assert.True(float.IsNaN(ops.SwiGlu(gate, up).Values()[0]));
        }
    }

    [Fact]
    public void RopeGivesTheSameHeadsFromBothLayouts()
    {
        // Row 2i of Meta's order is row i of Hugging Face's, row 2i + 1 is row i + headDim / 2 (spec llama1-3.md 2.3).
        int[] order = [0, 4, 1, 5, 2, 6, 3, 7];
        Tensor halves = TestData.Random(10, 2, 16);
        var values = new float[32];
        for (int i = 0; i < 32; i++)
        {
            values[i] = halves.Row<float>(i / 16)[(i % 16 / 8 * 8) + order[i % 8]];
        }

        Tensor cos = TestData.Random(11, 2, 4);
        Tensor sin = TestData.Random(12, 2, 4);
        using var ops = new CpuOps(1);
        float[] a = ops.Rope(halves, cos, sin, RopeLayout.HalfSplit).Values();
        float[] b = ops.Rope(Tensor.From(values, new Shape(2, 16)), cos, sin, RopeLayout.Interleaved).Values();
        Assert.Equal(a, b);
        Assert.Equal((values[0] * cos.Row<float>(0)[0]) - (values[1] * sin.Row<float>(0)[0]), b[0]);
        Assert.Equal((values[0] * sin.Row<float>(0)[0]) + (values[1] * cos.Row<float>(0)[0]), b[1]);
    }

    [Fact]
    public void AddBiasAddsTheRowToEveryRow()
    {
        using var ops = new CpuOps(1);
        float[] y = ops.AddBias(Tensor.From([1, 2, 3, 4], new Shape(2, 2)), new Weight("b", Tensor.From([10, 20], new Shape(2)))).Values();
        Assert.Equal([11f, 22f, 13f, 24f], y);
    }

    [Fact]
    public void AWeightOfAnotherKindOfNumbersIsRefused()
    {
        using var ops = new CpuOps(2);
        var integers = new Weight("ids", Tensor.Create(new Shape(100, 64), DType.I32));
        Assert.Contains("ids", Assert.Throws<PunaException>(() => MatMul(CpuFeatures.Chosen, 2, TestData.Random(1, 50, 64), integers)).Message, StringComparison.Ordinal);
        Assert.Throws<PunaException>(() => ops.Gather(integers, [1]));
    }

    [Fact]
    public void NoTokensGiveNoRows() =>
        Assert.Empty(MatMul(CpuFeatures.Chosen, 1, Tensor.Create(new Shape(0, 64)), new Weight("w", TestData.Random(2, 10, 64))));

    [Fact]
    public void GatherRefusesRowsOutsideTheTable()
    {
        using var ops = new CpuOps(1);
        var table = new Weight("table", TestData.Random(13, 4, 8));
        Assert.Equal(table.Master.Row<float>(2).ToArray(), ops.Gather(table, [2]).Values());
        Assert.Contains("expected 0 to 3, got 4", Assert.Throws<PunaException>(() => ops.Gather(table, [4])).Message, StringComparison.Ordinal);
        Assert.Throws<PunaException>(() => ops.Gather(table, [-1]));
    }

    private static float[] MatMul(CpuPath path, int threads, Tensor x, Weight w)
    {
        using var ops = new CpuOps(threads, path);
        Tensor y = default;
        ops.MatMul(x, [w], new Span<Tensor>(ref y));
        return y.Values();
    }
}
