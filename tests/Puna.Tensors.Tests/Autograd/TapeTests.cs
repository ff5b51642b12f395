using Puna.Tensors.Autograd;
using Puna.Tensors.Tests.Ops;

namespace Puna.Tensors.Tests.Autograd;

/// <summary>What the tape itself is responsible for: gradients that meet, rows that are chosen, frozen weights, chunks of the loss, memory that goes round.</summary>
public sealed class TapeTests
{
    [Fact]
    public void GradientsOfATensorThatIsUsedTwiceAddUp()
    {
        using var ops = new CpuOps(1);
        using var tape = new Tape(ops, new GradientSet());
        Tensor a = TestData.Random(1, 2, 3), b = TestData.Random(2, 2, 3), dy = TestData.Random(3, 2, 3);
        Tensor sum = tape.Add(a, b);
        Tensor twice = tape.Add(sum, a);
        tape.Seed(twice, dy);
        tape.Backward();
        Assert.Equal(dy.Values().Select(static v => v + v), tape.GradientOf(a)!.Value.Values());
        Assert.Equal(dy.Values(), tape.GradientOf(b)!.Value.Values());
        tape.Reset();
        Assert.Null(tape.GradientOf(a));
    }

    [Fact]
    public void TheWayBackThroughAnEncodersLayerIsThatOfItsOperations()
    {
        using var ops = new CpuOps(1);
        Tensor x = TestData.Random(1, 4, 6), dy = TestData.Random(2, 4, 6), dGelu = Tensor.Create(x.Shape), dx = Tensor.Create(x.Shape);
        var norm = new Weight("norm", TestData.Random(3, 6));
        var bias = new Weight("bias", TestData.Random(4, 6));
        var set = new GradientSet();
        (Tensor dNorm, Tensor dBias) = (set.Add(norm), set.Add(bias));
        using var tape = new Tape(ops, set);
        Tensor normed = tape.LayerNorm(x, norm, bias, 1e-5f);
        Tensor y = tape.Gelu(normed);
        Assert.Equal(ops.Gelu(ops.LayerNorm(x, norm, bias, 1e-5f)).Values(), y.Values());
        tape.Seed(y, dy);
        tape.Backward();
        ops.GeluBack(dy, normed, dGelu, false);
        Tensor expectedNorm = Tensor.Create(norm.Shape), expectedBias = Tensor.Create(bias.Shape);
        ops.LayerNormBack(dGelu, x, norm, 1e-5f, dx, false, expectedNorm, expectedBias);
        Assert.Equal(dx.Values(), tape.GradientOf(x)!.Value.Values());
        Assert.Equal(expectedNorm.Values(), dNorm.Values());
        Assert.Equal(expectedBias.Values(), dBias.Values());
    }

    [Fact]
    public void RowsThatWereNotChosenHaveNoGradient()
    {
        using var ops = new CpuOps(1);
        using var tape = new Tape(ops, new GradientSet());
        Tensor x = TestData.Random(1, 4, 3), dy = TestData.Random(2, 2, 3);
        tape.Seed(tape.SelectRows(x, [1, 3]), dy);
        tape.Backward();
        float[] dx = tape.GradientOf(x)!.Value.Values();
        Assert.Equal([0f, 0, 0, .. dy.Values()[..3], 0, 0, 0, .. dy.Values()[3..]], dx);
    }

    [Fact]
    public void AFrozenWeightPassesTheGradientOnAndKeepsNone()
    {
        using var ops = new CpuOps(1);
        var frozen = new Weight("frozen", TestData.Random(1, 4, 3));
        var trained = new Weight("trained", TestData.Random(2, 4, 3));
        var set = new GradientSet();
        Tensor gradient = set.Add(trained);
        using var tape = new Tape(ops, set);
        Tensor x = TestData.Random(3, 2, 3);
        Tensor[] y = new Tensor[2];
        tape.MatMul(x, [frozen, trained], y);
        Tensor dy = TestData.Random(4, 2, 4);
        tape.Seed(y[0], dy);
        tape.Backward();
        Tensor expected = Tensor.Create(x.Shape);
        ops.MatMulInputBack(dy, frozen, expected, false);
        Assert.Equal(expected.Values(), tape.GradientOf(x)!.Value.Values());

        // Nothing came back through the other product.
        Assert.All(gradient.Values(), static v => Assert.Equal(0, v));
        Assert.Null(set.Find(frozen));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(256)]
    public void ChunksOfTheLossChangeRoundingOnly(int chunk)
    {
        const int Rows = 20, Hidden = 12, Vocab = 31;
        Tensor hidden = TestData.Random(1, Rows, Hidden);
        var output = new Weight("output", TestData.Random(2, Vocab, Hidden));
        int[] targets = [.. Enumerable.Range(0, Rows).Select(static i => i * 5 % Vocab)];
        float[] scales = [.. Enumerable.Repeat(1f / Rows, Rows)];
        (double whole, float[] dx, float[] dw) = Loss(Rows);
        (double loss, float[] dxChunk, float[] dwChunk) = Loss(chunk);
        Assert.Equal(whole, loss, 1e-6);
        Assert.Equal(dx, dxChunk);
        Assert.InRange(dw.Zip(dwChunk, static (a, b) => Math.Abs(a - b)).Max(), 0, 1e-6);

        (double, float[], float[]) Loss(int rows)
        {
            using var ops = new CpuOps(2);
            var set = new GradientSet();
            Tensor gradient = set.Add(output);
            using var tape = new Tape(ops, set);
            double value = tape.CrossEntropy(hidden, output, targets, scales, new float[Rows], rows);
            return (value, tape.GradientOf(hidden)!.Value.Values(), gradient.Values());
        }
    }

    [Fact]
    public void LogitsExistForAChunkAtATime()
    {
        const int Rows = 512, Hidden = 16, Vocab = 4096;
        Tensor hidden = TestData.Random(1, Rows, Hidden);
        var output = new Weight("output", TestData.Random(2, Vocab, Hidden));
        using var ops = new CpuOps(1);
        using var tape = new Tape(ops, new GradientSet());
        tape.CrossEntropy(hidden, output, new int[Rows], new float[Rows], new float[Rows], 32);

        // Packed columns of the output layer come on top of 32 rows of logits; all rows would take 8 MB.
        Assert.InRange(ops.ScratchBytes, 32 * Vocab * 4, 3 << 20);
    }

    [Fact]
    public void ASecondPassNeedsNoMoreMemory()
    {
        using var ops = new CpuOps(1);
        using var tape = new Tape(ops, new GradientSet());
        Tensor x = TestData.Random(1, 50, 64);
        var norm = new Weight("norm", TestData.Random(2, 64));
        long first = 0;
        for (int pass = 0; pass < 4; pass++)
        {
            ArenaMark mark = ops.Mark();
            Tensor y = x;
            for (int i = 0; i < 10; i++)
            {
                y = tape.RmsNorm(y, norm, 1e-5f);
            }

            tape.Seed(y, x);
            tape.Backward();
            tape.Reset();
            ops.Release(mark);
            first = pass == 0 ? tape.GradientBytes : first;
            Assert.Equal(first, tape.GradientBytes);
        }

        // Two or three buffers go round, not one per operation.
        Assert.InRange(first, 50 * 64 * 4, 4 * 50 * 64 * 4);
    }

    [Fact]
    public void ACacheIsRefused()
    {
        using var ops = new CpuOps(1);
        using var tape = new Tape(ops, new GradientSet());
        Tensor x = TestData.Random(1, 1, 8);
        var view = new KvView([], 0);
        Assert.Throws<InvalidOperationException>(() => tape.Attention(x, x, x, view, new AttentionPlan(), 8));
        Assert.Throws<InvalidOperationException>(() => tape.Append(view, x, x, new Batch()));
        Assert.Throws<InvalidOperationException>(() => tape.Pack(new Weight("w", x)));
    }
}
