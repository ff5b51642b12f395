using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Gradients;

namespace Puna.Tensors.Tests.Ops;

/// <summary>Attention to other keys than the queries' own, and the small operations around it, against scalar twins in double; the same bits on every path.</summary>
public sealed class CrossAttentionTests
{
    /// <summary>A plan of sequences, given as queries and keys in turn: every third query leaves out the first key, where there are two.</summary>
    /// <returns>The plan, and each query's keys counted over all sequences.</returns>
    internal static (AttentionPlan Plan, int[] First, int[] End) Plan(int[] sizes)
    {
        var plan = new AttentionPlan();
        var first = new List<int>();
        var end = new List<int>();
        int at = 0;
        for (int s = 0; s < sizes.Length; s += 2)
        {
            plan.AddSequence(0, sizes[s + 1]);
            for (int i = 0; i < sizes[s]; i++)
            {
                int from = i % 3 == 2 && sizes[s + 1] > 1 ? 1 : 0;
                plan.AddQueries(1, from, sizes[s + 1]);
                first.Add(at + from);
                end.Add(at + sizes[s + 1]);
            }

            at += sizes[s + 1];
        }

        return (plan, [.. first], [.. end]);
    }

    [Theory]
    [InlineData(1, 1, 2, new[] { 1, 5 })]
    [InlineData(4, 2, 8, new[] { 7, 33, 1, 300, 3, 0, 50, 2 })]
    [InlineData(6, 1, 24, new[] { 100, 17, 2, 600 })]
    public void QueriesAndKeysNeedNotBeAsMany(int heads, int kvHeads, int headDim, int[] sizes)
    {
        (AttentionPlan plan, int[] first, int[] end) = Plan(sizes);
        Tensor q = TestData.Random(1, plan.Starts[^1], heads * headDim), k = TestData.Random(2, plan.KeyStarts[^1], kvHeads * headDim), v = TestData.Random(3, plan.KeyStarts[^1], kvHeads * headDim);
        double[] expected = ScalarReference<double>.Attention(Wide(q), Wide(k), Wide(v), heads, kvHeads, headDim, first, end);
        float[]? bits = null;
        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            foreach (int threads in new[] { 1, 3 })
            {
                using var ops = new CpuOps(threads, path);
                float[] y = ops.Attention(q, k, v, null, plan, headDim).Values();

                // Weights sum to 1 and values are below 1: float32 rounding only.
                Assert.InRange(y.Zip(expected, static (a, b) => Math.Abs(a - b)).Max(), 0, 2e-6);
                Assert.Equal(bits ??= y, y);
            }
        }
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    public void KeysOfACacheAreSeenByAnyNumberOfQueries(DType type)
    {
        // The same 300 keys for two runs of queries, as two spans of a text see one image.
        Tensor q = TestData.Random(1, 9, 64), k = TestData.Random(2, 300, 32), v = TestData.Random(3, 300, 32), none = Tensor.Create(new Shape(0, 32));
        using var ops = new CpuOps(2);
        using var cache = new KvCache(2, 2, 16, type);
        using KvSequence sequence = cache.CreateSequence();
        sequence.Reserve(300);
        var batch = new Batch();
        batch.Add(new int[300], 0, BatchOutputs.None);
        ops.Append(new KvView([sequence], 1), k, v, batch);
        sequence.Advance(300);
        var plan = new AttentionPlan();
        plan.AddSequence(300, 0);
        plan.AddQueries(4, 0, 300);
        plan.AddSequence(300, 0);
        plan.AddQueries(5, 0, 300);
        float[] y = ops.Attention(q, none, none, new KvView([sequence, sequence], 1), plan, 16).Values();
        var whole = new AttentionPlan();
        whole.AddSequence(0, 300);
        whole.AddQueries(9, 0, 300);
        float[] expected = ops.Attention(q, k, v, null, whole, 16).Values();
        if (type == DType.F32)
        {
            Assert.Equal(expected, y);
        }
        else
        {
            // Halves have 11 bits; means of values below 1.
            Assert.InRange(y.Zip(expected, static (a, b) => Math.Abs(a - b)).Max(), 0, 1e-3);
        }
    }

    [Fact]
    public void APlanThatDoesNotFitIsRefused()
    {
        var plan = new AttentionPlan();
        plan.AddSequence(0, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.AddQueries(1, 0, 4));
        plan.AddQueries(2, 0, 3);
        using var ops = new CpuOps(1);
        Tensor q = Tensor.Create(new Shape(2, 8)), k = Tensor.Create(new Shape(3, 8)), few = Tensor.Create(new Shape(2, 8));
        ops.Attention(q, k, k, null, plan, 8);
        Assert.Throws<InvalidOperationException>(() => ops.Attention(q, few, few, null, plan, 8));
        Assert.Throws<InvalidOperationException>(() => ops.AttentionBack(q, q, few, few, plan, 8, q, false, few, false, few, false));
    }

    [Fact]
    public void ColumnsOfNamedRowsAreScaled()
    {
        Tensor x = TestData.Random(1, 5, 70), s = TestData.Random(2, 1, 70);
        var scales = new Weight("scales", Tensor.From(s.Values(), new Shape(70)));
        x.Row<float>(0)[0] = -0f;
        float[] before = x.Values(), factors = s.Values();
        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            using var ops = new CpuOps(2, path);
            float[] scaled = ops.ScaleColumns(x, scales, [3, 1]).Values();
            for (int i = 0; i < scaled.Length; i++)
            {
                float expected = i / 70 is 1 or 3 ? before[i] * factors[i % 70] : before[i];
                Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(scaled[i]));
            }

            Assert.Equal(before, x.Values());
            Assert.Throws<ArgumentOutOfRangeException>(() => ops.ScaleColumns(x, scales, [3, 5]));
            Assert.Throws<ArgumentOutOfRangeException>(() => ops.ScaleColumns(x, scales, [-1]));
            Assert.Throws<InvalidOperationException>(() => ops.ScaleColumns(TestData.Random(1, 5, 69), scales, [3]));
        }
    }

    [Fact]
    public void RowsThatAreNotNamedStayAsTheyAre()
    {
        Tensor x = TestData.Random(1, 5, 70), y = TestData.Random(2, 2, 70);
        x.Row<float>(0)[0] = -0f;
        float[] before = x.Values(), added = y.Values();
        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            using var ops = new CpuOps(2, path);
            float[] sum = ops.AddRows(x, y, [3, 1]).Values();
            for (int i = 0; i < sum.Length; i++)
            {
                float expected = (i / 70) switch { 1 => before[i] + added[i], 3 => before[i] + added[i - 210], _ => before[i] };
                Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(sum[i]));
            }

            Assert.Throws<ArgumentOutOfRangeException>(() => ops.AddRows(x, y, [3, 5]));
            Assert.Throws<InvalidOperationException>(() => ops.AddRows(x, y, [3]));
        }
    }

    [Fact]
    public void ColumnsAreInterleavedBehindTheFirst()
    {
        Tensor a = TestData.Random(1, 3, 2), b = TestData.Random(2, 3, 4), c = TestData.Random(3, 3, 4);
        using var ops = new CpuOps(1);
        float[] y = ops.ConcatColumns(a, [b, c]).Values();
        for (int r = 0; r < 3; r++)
        {
            float[] first = a.Row<float>(r).ToArray(), one = b.Row<float>(r).ToArray(), two = c.Row<float>(r).ToArray();
            Assert.Equal([.. first, one[0], two[0], one[1], two[1], one[2], two[2], one[3], two[3]], y[(r * 10)..((r + 1) * 10)]);
        }

        Assert.Equal(a.Values(), ops.ConcatColumns(a, []).Values());
        Assert.Throws<InvalidOperationException>(() => ops.ConcatColumns(a, [b, a]));
    }

    [Theory]
    [InlineData(0.7f)]
    [InlineData(-2f)]
    public void AGateIsATangent(float gate)
    {
        Tensor x = TestData.Random(1, 2, 8200);
        var weight = new Weight("gate", Tensor.From([gate], new Shape(1)));
        float tanh = (float)Math.Tanh(gate), rest = (float)(1 - Math.Tanh(gate));
        foreach (CpuPath path in Enum.GetValues<CpuPath>())
        {
            using var ops = new CpuOps(2, path);
            Assert.Equal(x.Values().Select(v => v * tanh), ops.TanhGate(x, weight).Values());
            Assert.Equal(x.Values().Select(v => v * rest), ops.TanhGate(x, weight, isComplement: true).Values());
        }

        Assert.Throws<InvalidOperationException>(() => new CpuOps(1).TanhGate(x, new Weight("gate", x)));
    }

    private static double[] Wide(Tensor x) => Array.ConvertAll(x.Values(), static v => (double)v);
}
