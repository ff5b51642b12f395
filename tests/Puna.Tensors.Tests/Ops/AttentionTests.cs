using Puna.Tensors.Kernels.Cpu;

namespace Puna.Tensors.Tests.Ops;

public sealed class AttentionTests
{
    public static TheoryData<CpuPath> Paths => [CpuPath.Scalar, CpuPath.Vector128, CpuPath.Avx2, CpuPath.Avx512];

    public static TheoryData<DType> Types => [DType.F32, DType.F16, DType.Q8_0];

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

    /// <summary>Head sizes that are no multiple of 32, of 16 or of 8; groups of 1 to 8 query heads; lengths on both sides of a tile (32) and of a span (256).</summary>
    public static TheoryData<int, int, int, int> Shapes => new()
    {
        { 33, 1, 1, 2 }, { 65, 3, 1, 6 }, { 90, 4, 2, 16 }, { 70, 6, 6, 24 }, { 300, 5, 1, 40 }, { 290, 8, 1, 64 }, { 600, 4, 1, 32 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EveryCacheTypeGivesTheBitsOfItsRoundedValuesOnEveryPath(int tokens, int heads, int kvHeads, int headDim)
    {
        Tensor q = TestData.Random(7, tokens, heads * headDim);
        Tensor k = TestData.Random(8, tokens, kvHeads * headDim);
        Tensor v = TestData.Random(9, tokens, kvHeads * headDim);
        foreach (DType type in new[] { DType.F32, DType.F16, DType.Q8_0 })
        {
            // The oracle knows nothing of the cache: keys and values rounded by the quantiser, then attention in float32 without one.
            float[] expected = Whole(CpuPath.Scalar, 1, q, Rounded(k, headDim, type), Rounded(v, headDim, type), headDim);
            foreach (CpuPath path in new[] { CpuPath.Scalar, CpuPath.Vector128, CpuPath.Avx2, CpuPath.Avx512 })
            {
                Assert.Equal(expected, Chunked(path, 2, type, q, k, v, headDim, tokens));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void ChunksThreadsAndNeighboursDoNotChangeABit(DType type)
    {
        // More than two spans of 256 keys; one key-value head, so that a single row is shared between threads span by span.
        const int Tokens = 600;
        foreach ((int heads, int kvHeads) in new[] { (4, 1), (3, 3) })
        {
            Tensor q = TestData.Random(4, Tokens, heads * 32);
            Tensor k = TestData.Random(5, Tokens, kvHeads * 32);
            Tensor v = TestData.Random(6, Tokens, kvHeads * 32);
            float[] whole = Chunked(CpuFeatures.Chosen, 1, type, q, k, v, 32, Tokens);
            Assert.Equal(whole, Chunked(CpuFeatures.Chosen, 3, type, q, k, v, 32, Tokens));
            foreach (int chunk in new[] { 1, 7, 32, 33, 256, 257 })
            {
                Assert.Equal(whole, Chunked(CpuFeatures.Chosen, chunk % 3 + 1, type, q, k, v, 32, chunk, neighbour: 3));
            }
        }
    }

    [Fact]
    public void ALongTextMatchesTheArithmeticInDoublePrecision()
    {
        // Ten spans. Scores of a few units make the largest one grow along the way, so that states are rescaled and joined unequally.
        const int Tokens = 2500;
        Tensor q = TestData.Random(10, Tokens, 4 * 16);
        Tensor k = TestData.Random(11, Tokens, 16);
        Tensor v = TestData.Random(12, Tokens, 16);
        for (int r = 0; r < Tokens; r++)
        {
            foreach (ref float x in k.Row<float>(r))
            {
                x *= 1 + (r / 250f);
            }
        }

        float[] y = Whole(CpuFeatures.Chosen, 2, q, k, v, 16);
        foreach (int t in new[] { 0, 255, 256, 257, 1000, Tokens - 1 })
        {
            for (int h = 0; h < 4; h++)
            {
                double[] expected = Plain(q, k, v, t, h, 0, 16);
                for (int d = 0; d < 16; d++)
                {
                    // Scores reach 20, where float32 is 1e-6 apart; a weight is wrong by that much of itself, and weights sum to 1.
                    Assert.Equal(expected[d], y[(((t * 4) + h) * 16) + d], 2e-5);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void RopeAppendIsRopeThenAppend(DType type)
    {
        using var ops = new CpuOps(2);
        Tensor k = TestData.Random(20, 40, 2 * 32);
        Tensor v = TestData.Random(21, 40, 2 * 32);
        Tensor q = TestData.Random(22, 40, 4 * 32);
        Tensor cos = TestData.Random(23, 40, 16);
        Tensor sin = TestData.Random(24, 40, 16);
        var batch = new Batch();
        batch.Add(new int[40], 0, BatchOutputs.None);
        var plan = new AttentionPlan();
        plan.SetCausal(batch);
        var results = new List<float[]>();
        foreach (bool isFused in new[] { true, false })
        {
            using var cache = new KvCache(1, 2, 32, type);
            using KvSequence sequence = cache.CreateSequence();
            sequence.Reserve(40);
            var view = new KvView([sequence], 0);
            Tensor rotated;
            if (isFused)
            {
                rotated = ops.RopeAppend(k, v, cos, sin, RopeLayout.HalfSplit, view, batch);
            }
            else
            {
                rotated = ops.Rope(k, cos, sin, RopeLayout.HalfSplit);
                ops.Append(view, rotated, v, batch);
            }

            results.Add([.. rotated.Values(), .. ops.Attention(q, rotated, v, view, plan, 32).Values()]);
        }

        Assert.Equal(results[1], results[0]);
    }

    [Theory]
    [InlineData(DType.F32, float.NaN)]
    [InlineData(DType.F16, float.NaN)]
    [InlineData(DType.Q8_0, float.NaN)]
    [InlineData(DType.F16, float.PositiveInfinity)]
    [InlineData(DType.F16, 70000f)]
    [InlineData(DType.Q8_0, float.NegativeInfinity)]
    public void AValueThatIsNoNumberSpoilsTheRowsThatSeeItAndNoOthers(DType type, float bad)
    {
        const int Tokens = 12;
        const int Bad = 5;
        Tensor q = TestData.Random(13, Tokens, 2 * 32);
        Tensor k = TestData.Random(14, Tokens, 32);
        Tensor v = TestData.Random(15, Tokens, 32);
        float[] good = Chunked(CpuFeatures.Chosen, 1, type, q, k, v, 32, Tokens);
        v.Row<float>(Bad)[3] = bad;
        foreach (CpuPath path in new[] { CpuPath.Scalar, CpuPath.Vector128, CpuPath.Avx2, CpuPath.Avx512 })
        {
            float[] y = Chunked(path, 1, type, q, k, v, 32, Tokens);
            Assert.Equal(good.AsSpan(0, Bad * 64).ToArray(), y.AsSpan(0, Bad * 64).ToArray());
            for (int t = Bad; t < Tokens; t++)
            {
                Assert.False(float.IsFinite(y[(t * 64) + 3]));
                Assert.False(float.IsFinite(y[(t * 64) + 35]));
            }
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

    /// <summary>The outputs of a sequence that is put into a cache chunk by chunk, perhaps beside a neighbour that grows too.</summary>
    private static float[] Chunked(CpuPath path, int threads, DType type, Tensor q, Tensor k, Tensor v, int headDim, int chunk, int neighbour = 0)
    {
        using var ops = new CpuOps(threads, path);
        using var cache = new KvCache(3, (int)k.Columns / headDim, headDim, type);
        KvSequence[] both = [cache.CreateSequence(), cache.CreateSequence()];
        KvSequence[] sequences = neighbour > 0 ? both : both[1..];
        var view = new KvView(sequences, 1);
        var parts = new List<float>();
        for (int at = 0; at < q.Rows; at += chunk)
        {
            int count = Math.Min(chunk, (int)q.Rows - at);
            var batch = new Batch();
            (Tensor bq, Tensor bk, Tensor bv) = (q.Slice(at, count), k.Slice(at, count), v.Slice(at, count));
            if (neighbour > 0)
            {
                batch.Add(new int[neighbour], both[0].Length, BatchOutputs.None);
                bq = Join(TestData.Random(at + 100, neighbour, q.Columns), bq);
                bk = Join(TestData.Random(at + 101, neighbour, k.Columns), bk);
                bv = Join(TestData.Random(at + 102, neighbour, k.Columns), bv);
            }

            batch.Add(new int[count], at, BatchOutputs.None);
            var plan = new AttentionPlan();
            plan.SetCausal(batch);
            for (int s = 0; s < sequences.Length; s++)
            {
                sequences[s].Reserve(batch.Starts[s + 1] - batch.Starts[s]);
            }

            ops.Append(view, bk, bv, batch);
            parts.AddRange(ops.Attention(bq, bk, bv, view, plan, headDim).Values().AsSpan(neighbour * (int)q.Columns).ToArray());
            for (int s = 0; s < sequences.Length; s++)
            {
                sequences[s].Advance(batch.Starts[s + 1] - batch.Starts[s]);
            }
        }

        return [.. parts];
    }

    /// <summary>Values rounded to a type, head by head; a head that is no whole number of blocks is filled up with zeros for it.</summary>
    private static Tensor Rounded(Tensor x, int headDim, DType type)
    {
        int width = (headDim + type.BlockSize() - 1) / type.BlockSize() * type.BlockSize();
        float[] values = x.Values();
        for (int at = 0; at < values.Length; at += headDim)
        {
            var head = new float[width];
            values.AsSpan(at, headDim).CopyTo(head);
            var bytes = new byte[type.RowBytes(width)];
            Tensors.Quantization.Quantizer.Quantize(type, head, bytes);
            Tensors.Quantization.Dequantizer.Dequantize(type, bytes, head);
            head.AsSpan(0, headDim).CopyTo(values.AsSpan(at));
        }

        return Tensor.From(values, x.Shape);
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
