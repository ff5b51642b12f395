using Puna.Tensors.Autograd;
using Puna.Tensors.Kernels.Cpu.Gradients;
using Puna.Tensors.Tests.Ops;
using static Puna.Tensors.Tests.Kernels.Cpu.Gradients.CpuOpsGradientTests;

namespace Puna.Tensors.Tests.Kernels.Cpu.Gradients;

/// <summary>The way back of DeBERTa's attention against the scalar twin in double, which <see cref="ScalarReferenceTests"/> holds against finite differences; on every path, with the same bits.</summary>
public sealed class DisentangledAttentionBackTests
{
    private const int Rows = 20;

    /// <summary>One token; texts on both sides of a tile of 48 queries and of 16 keys; heads that fill no vector; distances that share rows and rows that no distance meets.</summary>
    [Theory]
    [InlineData(1, 4, new[] { 1 })]
    [InlineData(4, 12, new[] { 9, 1, 60 })]
    [InlineData(2, 64, new[] { 130, 17 })]
    [InlineData(3, 20, new[] { 33 })]
    [InlineData(2, 5, new[] { 3, 2 })]
    public void EveryInputsGradient(int heads, int headDim, int[] lengths)
    {
        int tokens = lengths.Sum(), width = heads * headDim;
        Tensor q = TestData.Random(1, tokens, width), k = TestData.Random(2, tokens, width), v = TestData.Random(3, tokens, width), dy = TestData.Random(4, tokens, width);
        Tensor rq = TestData.Random(5, Rows, width), rk = TestData.Random(6, Rows, width);
        int[] starts = [0, .. lengths.Select((_, i) => lengths[..(i + 1)].Sum())], distances = Distances(lengths.Max() + 3);
        (double[] dq, double[] dk, double[] dv, double[] drq, double[] drk) = EncoderReference<double>.DisentangledAttentionBack(
            Wide(dy), Wide(q), Wide(k), Wide(v), Wide(rq), Wide(rk), starts, d => distances[d + (distances.Length / 2)], heads, headDim);
        Tensor[] others = [Tensor.Create(q.Shape), Tensor.Create(q.Shape), Tensor.Create(q.Shape), Tensor.Create(rq.Shape), Tensor.Create(rq.Shape)];
        double[][] expected = [dq, dk, dv, drq, drk];
        for (int i = 0; i < expected.Length; i++)
        {
            // The one that is looked at is added to or not; the others are overwritten.
            OnEveryPath(expected[i], TestData.Random(7, (int)others[i].Rows, width), (ops, to, add) =>
            {
                Tensor[] d = [.. others];
                d[i] = to;
                bool Add(int j) => j == i && add;
                ops.DisentangledAttentionBack(dy, q, k, v, rq, rk, starts, distances, headDim, d[0], Add(0), d[1], Add(1), d[2], Add(2), d[3], Add(3), d[4], Add(4));
            });
        }
    }

    [Fact]
    public void ATapeGoesBackThroughIt()
    {
        Tensor q = TestData.Random(1, 7, 8), k = TestData.Random(2, 7, 8), v = TestData.Random(3, 7, 8), rq = TestData.Random(4, Rows, 8), rk = TestData.Random(5, Rows, 8), dy = TestData.Random(6, 7, 8);
        int[] starts = [0, 5, 7], distances = Distances(6);
        using var ops = new CpuOps(1);
        using var tape = new Tape(ops, new GradientSet());
        Tensor y = tape.DisentangledAttention(q, k, v, rq, rk, starts, distances, 4);
        Assert.Equal(ops.DisentangledAttention(q, k, v, rq, rk, starts, distances, 4).Values(), y.Values());
        tape.Seed(y, dy);
        tape.Backward();
        Tensor dq = Tensor.Create(q.Shape), dk = Tensor.Create(q.Shape), dv = Tensor.Create(q.Shape), drq = Tensor.Create(rq.Shape), drk = Tensor.Create(rq.Shape);
        ops.DisentangledAttentionBack(dy, q, k, v, rq, rk, starts, distances, 4, dq, false, dk, false, dv, false, drq, false, drk, false);
        foreach ((Tensor input, Tensor expected) in new[] { (q, dq), (k, dk), (v, dv), (rq, drq), (rk, drk) })
        {
            Assert.Equal(expected.Values(), tape.GradientOf(input)!.Value.Values());
        }
    }

    [Fact]
    public void NoTokenGivesNoGradient()
    {
        using var ops = new CpuOps(1);
        Tensor none = Tensor.Create(new Shape(0, 8)), table = TestData.Random(1, 4, 8), d = TestData.Random(2, 4, 8), kept = TestData.Random(3, 4, 8);
        float[] before = kept.Values();
        ops.DisentangledAttentionBack(none, none, none, none, table, table, [0], [0], 4, none, false, none, false, none, false, d, false, kept, true);
        Assert.All(d.Values(), static value => Assert.Equal(0, value));
        Assert.Equal(before, kept.Values());
    }

    [Fact]
    public void WrongShapesAreRefused()
    {
        using var ops = new CpuOps(1);
        Tensor x = TestData.Random(1, 3, 8), table = TestData.Random(2, 4, 8), small = Tensor.Create(new Shape(3, 8));
        void Back(Tensor dx, Tensor dTable, int[] distances) =>
            ops.DisentangledAttentionBack(x, x, x, x, table, table, [0, 3], distances, 4, dx, false, small, false, small, false, dTable, false, dTable, false);
        Assert.Throws<InvalidOperationException>(() => Back(Tensor.Create(new Shape(2, 8)), Tensor.Create(table.Shape), [0, 1, 2, 3, 3]));
        Assert.Throws<InvalidOperationException>(() => Back(small, Tensor.Create(new Shape(3, 8)), [0, 1, 2, 3, 3]));
        Assert.Throws<InvalidOperationException>(() => Back(small, Tensor.Create(table.Shape), [0, 1, 2, 3, 4]));
    }

    /// <summary>Near distances have a row each, far ones share the outermost.</summary>
    private static int[] Distances(int farthest) => [.. Enumerable.Range(-farthest, (2 * farthest) + 1).Select(static d => Math.Clamp(d + (Rows / 2), 0, Rows - 1))];
}
