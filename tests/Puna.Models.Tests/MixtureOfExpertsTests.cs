using Puna.Tensors;
using Puna.Tensors.Kernels.Cpu;

namespace Puna.Models.Tests;

/// <summary>Routing and experts against numbers of the specification and a plain computation in double.</summary>
public sealed class MixtureOfExpertsTests
{
    /// <summary>With room for a few rows each, the first rows of the batch have it: against a simulation with lists.</summary>
    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 4)]
    [InlineData(2, 1)]
    [InlineData(3, 100)]
    public void ExpertsTakeTheFirstRowsUpToTheirCapacity(int perToken, int capacity)
    {
        const int Experts = 5, Tokens = 23;
        var random = new Random(3);
        float[] scores = [.. Enumerable.Range(0, Experts * Tokens).Select(_ => (float)random.NextDouble())];
        var routing = new ExpertRouting();
        routing.Assign(scores, Experts, perToken, capacity);
        var expected = Enumerable.Range(0, Experts).Select(_ => new List<int>()).ToArray();
        for (int t = 0; t < Tokens; t++)
        {
            foreach (int e in Enumerable.Range(0, Experts).OrderByDescending(e => scores[(t * Experts) + e]).Take(perToken))
            {
                if (expected[e].Count < capacity)
                {
                    expected[e].Add(t);
                }
            }
        }

        for (int e = 0; e < Experts; e++)
        {
            Assert.Equal(expected[e], routing.Rows(e).ToArray());
        }
    }

    /// <summary>Spec llama4.md 11, in <c>[out, in]</c>. The score on the expert's output instead of its input would give 0.3357 and 1.3450.</summary>
    [Fact]
    public void TheExampleOfTheSpecification()
    {
        float root = MathF.Sqrt(2.5f); // undoes the norm: x keeps its values
        FeedForward zero = Gated([1, 0.25f, 0.5f, -1], [1, -1, 2, 0.5f], [0.5f, -0.5f, 1, 0.25f]);
        FeedForward one = Gated([9, 9, 9, 9], [9, 9, 9, 9], [9, 9, 9, 9]);
        FeedForward shared = Gated([1, 0, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1]);
        var brick = new MixtureOfExperts(new Linear(Matrix(0.5f, 0.1f, -0.25f, 0.4f)), shared, [zero, one], 1);
        using var ops = new CpuOps(1);
        Tensor y = brick.Forward(ops, Tensor.From([1, -2], new Shape(1, 2)), new Weight("norm", Tensor.From([root, root], new Shape(2))), 0, new ForwardContext());
        Assert.Equal(0.539229877433798, y.Row<float>(0)[0], 1e-6);
        Assert.Equal(0.9262107177838014, y.Row<float>(0)[1], 1e-6);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void SeveralExpertsPerTokenAddUp(int perToken)
    {
        const int Tokens = 23, Hidden = 12, Ffn = 20, Experts = 5;
        var random = new Random(7);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];
        FeedForward Expert() => new(New(Ffn, Hidden), New(Hidden, Ffn), New(Ffn, Hidden));
        Linear New(int rows, int columns) => new(new Weight("w", Tensor.From(Values(rows * columns), new Shape(rows, columns))));
        Linear router = New(Experts, Hidden);
        FeedForward shared = Expert();
        FeedForward[] experts = [.. Enumerable.Range(0, Experts).Select(_ => Expert())];
        Tensor x = Tensor.From(Values(Tokens * Hidden), new Shape(Tokens, Hidden));
        var norm = new Weight("norm", Tensor.From(Values(Hidden), new Shape(Hidden)));
        var brick = new MixtureOfExperts(router, shared, experts, perToken);
        float[]? bits = null;
        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            using var ops = new CpuOps(2, path);
            Tensor y = brick.Forward(ops, x, norm, 1e-5f, new ForwardContext());
            var all = new float[Tokens * Hidden];
            ops.Read(y, all);
            Assert.Equal(bits ??= all, all);
            for (int t = 0; t < Tokens; t++)
            {
                // A row alone has the bits it has among others.
                var alone = new float[Hidden];
                ops.Read(brick.Forward(ops, x.Slice(t, 1), norm, 1e-5f, new ForwardContext()), alone);
                Assert.Equal(all[(t * Hidden)..((t + 1) * Hidden)], alone);
            }
        }

        for (int t = 0; t < Tokens; t++)
        {
            double[] n = Norm(Row(x, t), Row(norm.Master, 0));
            double[] z = Product(router, n);
            double[] expected = Swiglu(shared, n);
            foreach (int e in Enumerable.Range(0, Experts).OrderByDescending(e => z[e]).Take(perToken))
            {
                double score = 1 / (1 + Math.Exp(-z[e]));
                double[] part = Swiglu(experts[e], [.. n.Select(v => v * score)]);
                expected = [.. expected.Zip(part, static (a, b) => a + b)];
            }

            for (int k = 0; k < Hidden; k++)
            {
                // Float32 sums of twenty terms of size one, twice.
                Assert.Equal(expected[k], bits![(t * Hidden) + k], 2e-5);
            }
        }
    }

    [Fact]
    public void OfEqualScoresTheFirstWinsAndRowsStayInOrder()
    {
        var routing = new ExpertRouting();
        routing.Assign([1, 1, 0, /**/ 0, 2, 2, /**/ 3, 0, 3, /**/ -1, -1, -1], experts: 3, perToken: 1);
        Assert.Equal([0, 2, 3], routing.Rows(0).ToArray());
        Assert.Equal([1], routing.Rows(1).ToArray());
        Assert.Empty(routing.Rows(2).ToArray());
        routing.Assign([1, 1, 0, /**/ 0, 2, 2], experts: 3, perToken: 2);
        Assert.Equal([0], routing.Rows(0).ToArray());
        Assert.Equal([0, 1], routing.Rows(1).ToArray());
        Assert.Equal([1], routing.Rows(2).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => routing.Assign([1, 2], 2, 3));
    }

    private static FeedForward Gated(float[] w1, float[] w2, float[] w3) => new(new Linear(Matrix(w1)), new Linear(Matrix(w2)), new Linear(Matrix(w3)));

    private static Weight Matrix(params float[] values) => new("w", Tensor.From(values, new Shape(2, 2)));

    private static double[] Row(Tensor x, int row) => [.. x.Row<float>(row).ToArray().Select(static v => (double)v)];

    private static double[] Norm(double[] x, double[] weight)
    {
        double scale = 1 / Math.Sqrt(x.Average(static v => v * v) + 1e-5f);
        return [.. x.Zip(weight, (v, w) => v * scale * w)];
    }

    private static double[] Product(Linear layer, double[] x) =>
        [.. Enumerable.Range(0, layer.Weight.Out).Select(r => Row(layer.Weight.Master, r).Zip(x, static (a, b) => a * b).Sum())];

    private static double[] Swiglu(FeedForward layer, double[] x) =>
        Product(layer.W2, [.. Product(layer.W1, x).Zip(Product(layer.W3, x), static (g, u) => g / (1 + Math.Exp(-g)) * u)]);
}
