using Puna.Tensors.Autograd;
using Puna.Tensors.Kernels.Cpu.Gradients;
using Puna.Tensors.Tests.Ops;
using static Puna.Tensors.Tests.Kernels.Cpu.Gradients.CpuOpsGradientTests;

namespace Puna.Tensors.Tests.Kernels.Cpu.Gradients;

/// <summary>The way back of what Llama 3.2 Vision needs, against scalar twins, finite differences or plain loops in double; on every path, with the same bits.</summary>
public sealed class CrossAttentionGradientTests
{
    /// <summary>Queries and keys of each sequence; queries beyond a tile of 48, keys on both sides of a tile of 16, one query behind many keys, a sequence without keys.</summary>
    [Theory]
    [InlineData(1, 1, 8, new[] { 1, 5 })]
    [InlineData(4, 2, 8, new[] { 7, 33, 1, 64, 3, 0, 50, 2 })]
    [InlineData(6, 1, 20, new[] { 100, 17, 2, 130 })]
    public void Attention(int heads, int kvHeads, int headDim, int[] sizes)
    {
        (AttentionPlan plan, int[] first, int[] end) = CrossAttentionTests.Plan(sizes);
        int queries = plan.Starts[^1], keys = plan.KeyStarts[^1];
        Tensor q = TestData.Random(1, queries, heads * headDim), k = TestData.Random(2, keys, kvHeads * headDim), v = TestData.Random(3, keys, kvHeads * headDim);
        Tensor dy = TestData.Random(4, queries, heads * headDim);
        (double[] dq, double[] dk, double[] dv) = ScalarReference<double>.AttentionBack(Wide(dy), Wide(q), Wide(k), Wide(v), heads, kvHeads, headDim, first, end);
        Tensor o1 = Tensor.Create(q.Shape), o2 = Tensor.Create(k.Shape), o3 = Tensor.Create(k.Shape);
        OnEveryPath(dq, TestData.Random(5, queries, heads * headDim), (ops, to, add) => ops.AttentionBack(dy, q, k, v, plan, headDim, to, add, o2, false, o3, false));
        OnEveryPath(dk, TestData.Random(6, keys, kvHeads * headDim), (ops, to, add) => ops.AttentionBack(dy, q, k, v, plan, headDim, o1, false, to, add, o3, false));
        OnEveryPath(dv, TestData.Random(7, keys, kvHeads * headDim), (ops, to, add) => ops.AttentionBack(dy, q, k, v, plan, headDim, o1, false, o2, false, to, add));
    }

    [Theory]
    [InlineData(1, 3, 2)]
    [InlineData(5, 2, 37)]
    [InlineData(33, 4, 64)]
    public void ANormOfHeads(int tokens, int heads, int headDim)
    {
        Tensor x = TestData.Random(1, tokens, heads * headDim), w = TestData.Random(2, headDim), dy = TestData.Random(3, tokens, heads * headDim);
        (double[] dx, double[] dw) = ScalarReference<double>.RmsNormBack(Wide(dy), Wide(x), Wide(w), 1e-5f);
        var weight = new Weight("w", w);
        Tensor other = Tensor.Create(x.Shape);
        OnEveryPath(dx, TestData.Random(4, tokens, heads * headDim), (ops, to, add) => ops.RmsNormBack(dy, x, weight, 1e-5f, to, add, null));
        OnEveryPath(dw, TestData.Random(5, headDim), (ops, to, _) => ops.RmsNormBack(dy, x, weight, 1e-5f, other, false, to), adds: true);
        Assert.Throws<InvalidOperationException>(() => new CpuOps(1).RmsNorm(x, new Weight("w", TestData.Random(6, (heads * headDim) + 1)), 1e-5f));
    }

    [Theory]
    [InlineData(0.7f, false)]
    [InlineData(-1.3f, true)]
    public void TanhGate(float gate, bool isComplement)
    {
        const double Step = 1e-6;
        Tensor x = TestData.Random(1, 30, 333), dy = TestData.Random(2, 30, 333);
        var weight = new Weight("gate", Tensor.From([gate], new Shape(1)));
        double[] wide = Wide(x), d = Wide(dy);
        double factor = isComplement ? 1 - Math.Tanh(gate) : Math.Tanh(gate);

        // The slope by central differences.
        double slope = (Math.Tanh(gate + Step) - Math.Tanh(gate - Step)) / (2 * Step) * (isComplement ? -1 : 1);
        Tensor other = Tensor.Create(x.Shape);
        OnEveryPath([.. d.Select(v => v * factor)], TestData.Random(3, 30, 333), (ops, to, add) => ops.TanhGateBack(dy, x, weight, isComplement, to, add, null));
        OnEveryPath([slope * d.Zip(wide, static (a, b) => a * b).Sum()], TestData.Random(4, 1), (ops, to, _) => ops.TanhGateBack(dy, x, weight, isComplement, other, false, to), adds: true);
    }

    [Fact]
    public void ColumnsGoBackToWhereTheyCameFrom()
    {
        Tensor dy = TestData.Random(1, 5, 4 + (3 * 6));
        double[] d = Wide(dy);
        double[] first = [.. Enumerable.Range(0, 5 * 4).Select(i => d[(i / 4 * 22) + (i % 4)])];
        double[] second = [.. Enumerable.Range(0, 5 * 6).Select(i => d[(i / 6 * 22) + 4 + 1 + (i % 6 * 3)])];
        OnEveryPath(first, TestData.Random(2, 5, 4), (ops, to, add) => ops.ConcatColumnsBack(dy, 0, 1, to, add));
        OnEveryPath(second, TestData.Random(3, 5, 6), (ops, to, add) => ops.ConcatColumnsBack(dy, 5, 3, to, add));
        using var one = new CpuOps(1);
        Assert.Throws<InvalidOperationException>(() => one.ConcatColumnsBack(dy, 7, 3, Tensor.Create(new Shape(5, 6)), false));
    }

    /// <summary>All of them on a tape, against finite differences of the way there, in float32.</summary>
    [Fact]
    public void ATapeGoesBackThroughAllOfThem()
    {
        const float Step = 1e-2f;
        Tensor x = TestData.Random(1, 6, 8), y = TestData.Random(2, 2, 8), keys = TestData.Random(3, 5, 8), dy = TestData.Random(4, 6, 24);
        var gate = new Weight("gate", Tensor.From([0.4f], new Shape(1)));
        var norm = new Weight("norm", TestData.Random(5, 4));
        var columns = new Weight("columns", Tensor.From([1.5f, -0.5f, 2, 1, 0, 0.25f, 1, -1], new Shape(8)));
        (AttentionPlan plan, _, _) = CrossAttentionTests.Plan([4, 3, 2, 2]);
        using var ops = new CpuOps(1);
        var set = new GradientSet();
        (Tensor dGate, Tensor dNorm) = (set.Add(gate), set.Add(norm));
        using var tape = new Tape(ops, set);
        tape.Seed(Forward(tape), dy);
        tape.Backward();
        foreach ((Tensor input, Tensor slope) in new[] { (x, tape.GradientOf(x)!.Value), (y, tape.GradientOf(y)!.Value), (keys, tape.GradientOf(keys)!.Value), (gate.Master, dGate), (norm.Master, dNorm) })
        {
            for (int r = 0; r < input.Rows; r++)
            {
                for (int c = 0; c < input.Columns; c++)
                {
                    float before = input.Row<float>(r)[c];
                    input.Row<float>(r)[c] = before + Step;
                    double above = Sum();
                    input.Row<float>(r)[c] = before - Step;
                    double below = Sum();
                    input.Row<float>(r)[c] = before;

                    // Third derivatives times Step^2 / 6, and rounding of sums of about 10 over 2 Step.
                    Assert.Equal((above - below) / (2 * Step), slope.Row<float>(r)[c], 5e-3);
                }
            }
        }

        Tensor Forward(IOps on)
        {
            Tensor a = on.ScaleColumns(on.AddRows(on.TanhGate(x, gate), y, [1, 4]), columns, [0, 4]);
            Tensor q = on.RmsNorm(a, norm, 1e-5f);
            Tensor seen = on.Attention(q, on.RmsNorm(keys, norm, 1e-5f), keys, null, plan, 4);
            return on.ConcatColumns(seen, [on.TanhGate(a, gate, isComplement: true), seen]);
        }

        double Sum() => Forward(ops).Values().Zip(dy.Values(), static (a, b) => (double)a * b).Sum();
    }
}
