using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Quantization;
using Puna.Tensors.Tests.Ops;

namespace Puna.Tensors.Tests.Kernels.Cpu.Products;

// Products with packed and unpacked weights of every layout, against a sum in double precision and against each other, bit for bit.
public sealed class ProductTests
{
    private static readonly CpuPath[] _vectors = [CpuPath.Vector128, CpuPath.Avx2, CpuPath.Avx512];

    public static TheoryData<DType> Types =>
    [
        DType.F32, DType.F16, DType.BF16, DType.Q4_0, DType.Q4_1, DType.Q5_0, DType.Q5_1, DType.Q8_0, DType.Q2_K, DType.Q3_K, DType.Q4_K, DType.Q5_K, DType.Q6_K,
    ];

    [Theory]
    [MemberData(nameof(Types))]
    public void PackingLosesNothing(DType type)
    {
        foreach ((int rows, int columns) in new[] { (1, 256), (16, 512), (37, 768) })
        {
            Weight weight = Quantized(type, rows, columns, seed: rows);
            using var ops = new CpuOps(2);
            Weight packed = ops.Pack(weight);
            Assert.NotNull(packed.Packed);
            int[] all = [.. Enumerable.Range(0, rows)];
            Assert.Equal(ops.Gather(weight, all).Values(), ops.Gather(packed, all).Values());
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void EveryPathGivesTheBitsOfTheScalarTwin(DType type)
    {
        // Rows: part of a tile, one tile, three tiles, so that the 512-bit kernel meets a lone tile. Inputs: one chunk, and several with a rest.
        foreach ((int tokens, int rows, int columns) in new[] { (1, 5, 256), (2, 16, 256), (3, 40, 1280), (4, 33, 512), (11, 48, 768), (14, 16, 256) })
        {
            Weight weight = Quantized(type, rows, columns, seed: tokens);
            Tensor x = Inputs(tokens, columns);
            float[] expected = Product(CpuPath.Scalar, 1, x, weight);
            Assert.Equal(expected, Product(CpuPath.Scalar, 1, x, Packed(weight)));
            foreach (CpuPath path in _vectors)
            {
                Assert.Equal(expected, Product(path, 2, x, Packed(weight)));
                Assert.Equal(expected, Product(path, 1, x, weight));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void ProductsAreThoseOfTheDecodedWeights(DType type)
    {
        const int Tokens = 3, Rows = 35, Columns = 1024;
        Weight weight = Quantized(type, Rows, Columns, seed: 9);
        Tensor x = Inputs(Tokens, Columns);
        using var ops = new CpuOps(1);
        float[] decoded = ops.Gather(weight, [.. Enumerable.Range(0, Rows)]).Values();
        float[] y = Product(CpuFeatures.Chosen, 1, x, Packed(weight));
        for (int t = 0; t < Tokens; t++)
        {
            for (int r = 0; r < Rows; r++)
            {
                double sum = 0, variance = 0;
                for (int k = 0; k < Columns; k++)
                {
                    double w = decoded[(r * Columns) + k];
                    sum += x.Row<float>(t)[k] * w;
                    double step = Step(type, x.Row<float>(t), k);
                    variance += w * w * step * step / 12;
                }

                // Rounding errors of the inputs are independent and lie evenly within a step: six standard deviations, beside which those of float sums vanish.
                double tolerance = type.IsBlock() ? 6 * Math.Sqrt(variance) : 1e-5 * Math.Sqrt(Columns);
                Assert.Equal(sum, y[(t * Rows) + r], tolerance + 1e-7);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void ARowDoesNotDependOnItsNeighboursOrThreads(DType type)
    {
        Tensor x = Inputs(300, 512);
        Weight weight = Packed(Quantized(type, 70, 512, seed: 3));
        float[] together = Product(CpuFeatures.Chosen, 3, x, weight);
        Assert.Equal(together, Product(CpuFeatures.Chosen, 1, x, weight));
        foreach ((int first, int count) in new[] { (0, 1), (1, 2), (3, 7), (255, 3), (256, 44), (299, 1) })
        {
            Assert.Equal(together.AsSpan(first * 70, count * 70).ToArray(), Product(CpuFeatures.Chosen, 2, x.Slice(first, count), weight));
        }
    }

    [Theory]
    [InlineData(DType.Q8_0)]
    [InlineData(DType.Q4_0)]
    [InlineData(DType.Q4_1)]
    [InlineData(DType.Q5_1)]
    [InlineData(DType.Q5_K)]
    [InlineData(DType.Q6_K)]
    [InlineData(DType.BF16)]
    public void LargestCodesAndInputsDoNotOverflow(DType type)
    {
        // Every weight and every input has the largest magnitude, with the signs that add up.
        Tensor w = Tensor.Create(new Shape(16, 256));
        Tensor x = Tensor.Create(new Shape(4, 256));
        for (int k = 0; k < 256; k++)
        {
            float sign = k % 3 == 0 ? -1 : 1;
            for (int r = 0; r < 16; r++)
            {
                w.Row<float>(r)[k] = sign * 2;
            }

            for (int t = 0; t < 4; t++)
            {
                x.Row<float>(t)[k] = sign * 3;
            }
        }

        Weight weight = Quantized(type, w);
        using var ops = new CpuOps(1);
        float value = Math.Abs(ops.Gather(weight, [0]).Values()[0]);
        foreach (CpuPath path in _vectors)
        {
            // 256 products of the same sign, the inputs exact as they are the largest of their block.
            Assert.All(Product(path, 1, x, Packed(weight)), y => Assert.Equal(256.0 * 3 * value, y, 256.0 * 3 * value * 0.07));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void NormalizingOnTheWayGivesTheSameBits(int tokens)
    {
        // Weights that share a quantised input, one that takes another kind, and one that takes floats, in every order of who comes first.
        Tensor x = Inputs(tokens, 512);
        var norm = new Weight("norm", TestData.Random(6, 512));
        Weight[] weights = [.. new[] { DType.Q4_0, DType.Q8_0, DType.F16, DType.Q6_K }.Select(type => Packed(Quantized(type, 20, 512, 8)))];
        for (int shift = 0; shift < weights.Length; shift++)
        {
            Weight[] order = [.. weights[shift..], .. weights[..shift]];
            using var ops = new CpuOps(2);
            var together = new Tensor[order.Length];
            ops.NormMatMul(x, norm, 1e-5f, order, together);
            Tensor normed = ops.RmsNorm(x, norm, 1e-5f);
            for (int i = 0; i < order.Length; i++)
            {
                Tensor alone = default;
                ops.MatMul(normed, [order[i]], new Span<Tensor>(ref alone));
                Assert.Equal(alone.Values(), together[i].Values());
            }
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void NotANumberIsNotHidden(float bad)
    {
        Tensor x = Inputs(5, 256);
        x.Row<float>(2)[100] = bad;
        foreach (DType type in new[] { DType.Q4_0, DType.Q4_K, DType.Q8_0 })
        {
            foreach (CpuPath path in new[] { CpuPath.Scalar, CpuPath.Vector128, CpuPath.Avx2, CpuPath.Avx512 })
            {
                float[] y = Product(path, 1, x, Packed(Quantized(type, 20, 256, 1)));
                for (int t = 0; t < 5; t++)
                {
                    Assert.All(y.AsSpan(t * 20, 20).ToArray(), v => Assert.Equal(t == 2, float.IsNaN(v)));
                }
            }
        }
    }

    [Theory]
    [InlineData(DType.Q4_0, 0)]
    [InlineData(DType.Q4_K, 2)]
    [InlineData(DType.Q6_K, 208)]
    [InlineData(DType.F16, 100)]
    public void NumbersThatAreNotFiniteAreRefusedByTheTensorsName(DType type, int place)
    {
        Weight weight = Quantized(type, 20, 256, seed: 4);
        Span<byte> row = weight.Master.Row<byte>(17);
        (row[place], row[place + 1]) = (0x01, 0xFC); // a NaN
        using var ops = new CpuOps(2);
        PunaException e = Assert.Throws<PunaException>(() => ops.Pack(weight));
        Assert.StartsWith("tensor w: ", e.Message, StringComparison.Ordinal);
        Assert.Contains("got infinity or NaN", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TypesWithoutALayoutOfTheirOwnKeepTheirRows()
    {
        byte[] blocks = new byte[40 * DType.IQ4_NL.RowBytes(64)];
        new Random(5).NextBytes(blocks);
        for (int i = 1; i < blocks.Length; i += 18)
        {
            blocks[i] = 0x2C; // scales about 1/16
        }

        Tensor master = Tensor.Create(new Shape(40, 64), DType.IQ4_NL);
        blocks.CopyTo(master.Storage.Span<byte>(0, blocks.Length));
        var weight = new Weight("w", master);
        Tensor x = Inputs(3, 64);
        using var ops = new CpuOps(1);
        Assert.Equal(PackedLayout.Rows, ops.Pack(weight).Packed!.Layout);
        Assert.Equal(ops.Gather(weight, [39, 0]).Values(), ops.Gather(ops.Pack(weight), [39, 0]).Values());
        float[] expected = Product(CpuPath.Scalar, 1, x, weight);
        foreach (CpuPath path in _vectors)
        {
            Assert.Equal(expected, Product(path, 1, x, ops.Pack(weight)));
        }
    }

    // The step of a quantised input: signed bytes meet 15 bits with a scale per 32, other codes 8 bits with a scale per 16 (which may be up to 1 % larger than needed).
    private static double Step(DType type, ReadOnlySpan<float> row, int k)
    {
        int group = type == DType.Q8_0 ? 32 : 16;
        float largest = 0;
        foreach (float value in row.Slice(k / group * group, group))
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        return largest / (type == DType.Q8_0 ? 16383 : 127 / 1.01);
    }

    private static Weight Packed(Weight weight)
    {
        using var ops = new CpuOps(1);
        return ops.Pack(weight);
    }

    private static Weight Quantized(DType type, int rows, int columns, int seed) => Quantized(type, TestData.Random(seed, rows, columns));

    private static Weight Quantized(DType type, Tensor values)
    {
        Tensor master = Tensor.Create(values.Shape, type);
        for (int r = 0; r < values.Rows; r++)
        {
            Quantizer.Quantize(type, values.Row<float>(r), master.Row<byte>(r));
        }

        return new Weight("w", master);
    }

    // Inputs as they are in a model: blocks of very different size, a block of zeros, an outlier.
    private static Tensor Inputs(int tokens, int columns)
    {
        Tensor x = TestData.Random(77, tokens, columns);
        for (int t = 0; t < tokens; t++)
        {
            Span<float> row = x.Row<float>(t);
            row[..32].Clear();
            row[40] *= 30;
        }

        return x;
    }

    private static float[] Product(CpuPath path, int threads, Tensor x, Weight w)
    {
        using var ops = new CpuOps(threads, path);
        Tensor y = default;
        ops.MatMul(x, [w], new Span<Tensor>(ref y));
        return y.Values();
    }
}
