using Puna.Tensors.Kernels.Cpu;

namespace Puna.Tensors.Tests.Ops;

public sealed class AttentionTests
{
    public static TheoryData<CpuPath> Paths => [CpuPath.Scalar, CpuPath.Vector128, CpuPath.Avx2, CpuPath.Avx512];

    [Theory]
    [MemberData(nameof(Paths))]
    public void MatchesPlainSoftmaxAndTheScalarTwin(CpuPath path)
    {
        foreach ((int tokens, int heads, int kvHeads, int headDim) in new[] { (1, 1, 1, 2), (5, 4, 2, 8), (40, 4, 1, 16), (70, 6, 6, 24), (100, 8, 2, 64) })
        {
            Tensor q = TestData.Random(1, tokens, heads * headDim);
            Tensor k = TestData.Random(2, tokens, kvHeads * headDim);
            Tensor v = TestData.Random(3, tokens, kvHeads * headDim);
            float[] y = Whole(path, 1, q, k, v, headDim);
            Assert.Equal(Whole(CpuPath.Scalar, 1, q, k, v, headDim), y);
            for (int t = 0; t < tokens; t++)
            {
                for (int h = 0; h < heads; h++)
                {
                    double[] expected = Plain(q, k, v, t, h, h / (heads / kvHeads), headDim);
                    for (int d = 0; d < headDim; d++)
                    {
                        // Weights sum to 1 and values are below 1: float32 rounding only.
                        Assert.Equal(expected[d], y[(((t * heads) + h) * headDim) + d], 2e-6);
                    }
                }
            }
        }
    }

    [Fact]
    public void ALongTextWithSharpAttentionMatchesPlainSoftmax()
    {
        // Scores up to 100, so that the running maximum moves again and again over 128 tiles and most weights vanish.
        const int Tokens = 4100;
        Tensor q = TestData.Random(7, Tokens, 2 * 16);
        foreach (int row in Enumerable.Range(0, Tokens))
        {
            foreach (ref float x in q.Row<float>(row))
            {
                x *= 40;
            }
        }

        Tensor k = TestData.Random(8, Tokens, 16);
        Tensor v = TestData.Random(9, Tokens, 16);
        float[] y = Whole(CpuFeatures.Chosen, 2, q, k, v, 16);
        foreach (int row in (int[])[0, 1, 31, 32, 33, 1000, 2047, 2048, 4095, 4096, Tokens - 1])
        {
            for (int h = 0; h < 2; h++)
            {
                double[] expected = Plain(q, k, v, row, h, 0, 16);
                for (int d = 0; d < 16; d++)
                {
                    // A score of 100 is a float32 within 8e-6 of itself after 16 sums, and a weight changes by that share.
                    Assert.Equal(expected[d], y[(((row * 2) + h) * 16) + d], 3e-5);
                }
            }
        }
    }

    [Fact]
    public void ChunksAndNeighboursDoNotChangeABit()
    {
        const int Tokens = 90;
        Tensor q = TestData.Random(4, Tokens, 4 * 16);
        Tensor k = TestData.Random(5, Tokens, 2 * 16);
        Tensor v = TestData.Random(6, Tokens, 2 * 16);
        float[] whole = Whole(CpuFeatures.Chosen, 2, q, k, v, 16);
        foreach (int chunk in new[] { 1, 7, 32, 33 })
        {
            using var cache = new KvCache(3, 2, 16);
            using KvSequence other = cache.CreateSequence();
            using KvSequence sequence = cache.CreateSequence();
            using var ops = new CpuOps(2);
            var parts = new List<float>();
            for (int at = 0; at < Tokens; at += chunk)
            {
                int count = Math.Min(chunk, Tokens - at);
                var batch = new Batch();
                batch.Add(new int[3], other.Length, BatchOutputs.None);
                batch.Add(new int[count], at, BatchOutputs.None);
                var plan = new AttentionPlan();
                plan.SetCausal(batch);
                KvSequence[] sequences = [other, sequence];
                foreach (KvSequence s in sequences)
                {
                    s.Reserve(count + 3);
                }

                Tensor bq = Join(TestData.Random(at + 100, 3, 64), q.Slice(at, count));
                Tensor bk = Join(TestData.Random(at + 101, 3, 32), k.Slice(at, count));
                Tensor bv = Join(TestData.Random(at + 102, 3, 32), v.Slice(at, count));
                var view = new KvView(sequences, 1);
                ops.Append(view, bk, bv, batch);
                parts.AddRange(ops.Attention(bq, bk, bv, view, plan, 16).Values().AsSpan(3 * 64).ToArray());
                other.Advance(3);
                sequence.Advance(count);
            }

            Assert.Equal(whole, parts);
        }
    }

    [Fact]
    public void MemoryGrowsWithTokensNotTheirSquare()
    {
        using var ops = new CpuOps(2);
        var scratch = new long[2];
        for (int i = 0; i < 2; i++)
        {
            int tokens = 2048 << i;
            var batch = new Batch();
            batch.Add(new int[tokens], 0, BatchOutputs.None);
            var plan = new AttentionPlan();
            plan.SetCausal(batch);
            Tensor q = Tensor.Create(new Shape(tokens, 8));
            using var own = new CpuOps(2);
            own.Attention(q, q, q, null, plan, 8);
            scratch[i] = own.ScratchBytes;
        }

        Assert.True(scratch[1] <= scratch[0] * 3, $"{scratch[0]} bytes for 2048 tokens, {scratch[1]} for 4096");
    }

    [Fact]
    public void ACacheOfAnotherShapeIsRefusedBeforeItIsTouched()
    {
        using var cache = new KvCache(1, 2, 8);
        using KvSequence sequence = cache.CreateSequence();
        sequence.Reserve(4);
        var batch = new Batch();
        batch.Add([1, 2], 0, BatchOutputs.None);
        var plan = new AttentionPlan();
        plan.SetCausal(batch);
        using var ops = new CpuOps(1);
        Tensor q = Tensor.Create(new Shape(2, 32));
        Tensor k = Tensor.Create(new Shape(2, 16));
        foreach (KvView view in new[] { new KvView([sequence], 1), new KvView([sequence], -1), new KvView([], 0), new KvView([sequence, sequence], 0) })
        {
            Assert.Throws<InvalidOperationException>(() => ops.Append(view, k, k, batch));
            Assert.Throws<InvalidOperationException>(() => ops.Attention(q, k, k, view, plan, 8));
        }

        Tensor wide = Tensor.Create(new Shape(2, 32));
        Assert.Throws<InvalidOperationException>(() => ops.Append(new KvView([sequence], 0), wide, wide, batch));
        Assert.Throws<InvalidOperationException>(() => ops.Attention(q, wide, wide, new KvView([sequence], 0), plan, 8));
        ops.Append(new KvView([sequence], 0), k, k, batch);
    }

    [Fact]
    public void WhatIsDisposedIsAnErrorAndNoCrash()
    {
        using var ops = new CpuOps(1);
        Tensor x = Tensor.Create(new Shape(1, 16));
        var weight = new Weight("w", Tensor.Create(new Shape(4, 16)));
        weight.Master.Storage.Dispose();
        Assert.Throws<ObjectDisposedException>(() =>
        {
            Tensor y = default;
            ops.MatMul(x, [weight], new Span<Tensor>(ref y));
        });
        var closed = new CpuOps(2);
        closed.Dispose();
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => closed.Add(x, x));
        var cache = new KvCache(1, 2, 8);
        KvSequence sequence = cache.CreateSequence();
        sequence.Reserve(1);
        cache.Dispose();
        var batch = new Batch();
        batch.Add([1], 0, BatchOutputs.None);
        Assert.Throws<ObjectDisposedException>(() => ops.Append(new KvView([sequence], 0), x, x, batch));
    }

    private static Tensor Join(Tensor a, Tensor b) => Tensor.From([.. a.Values(), .. b.Values()], new Shape(a.Rows + b.Rows, a.Columns));

    private static float[] Whole(CpuPath path, int threads, Tensor q, Tensor k, Tensor v, int headDim)
    {
        var batch = new Batch();
        batch.Add(new int[q.Rows], 0, BatchOutputs.None);
        var plan = new AttentionPlan();
        plan.SetCausal(batch);
        using var ops = new CpuOps(threads, path);
        return ops.Attention(q, k, v, null, plan, headDim).Values();
    }

    private static double[] Plain(Tensor q, Tensor k, Tensor v, int row, int head, int kvHead, int headDim)
    {
        var scores = new double[row + 1];
        for (int j = 0; j <= row; j++)
        {
            for (int d = 0; d < headDim; d++)
            {
                scores[j] += (double)q.Row<float>(row)[(head * headDim) + d] * k.Row<float>(j)[(kvHead * headDim) + d];
            }

            scores[j] /= Math.Sqrt(headDim);
        }

        double top = scores.Max();
        double[] weights = [.. scores.Select(s => Math.Exp(s - top))];
        double total = weights.Sum();
        var y = new double[headDim];
        for (int j = 0; j <= row; j++)
        {
            for (int d = 0; d < headDim; d++)
            {
                y[d] += weights[j] / total * v.Row<float>(j)[(kvHead * headDim) + d];
            }
        }

        return y;
    }
}
