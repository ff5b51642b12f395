using System.Numerics;
using System.Runtime.InteropServices;
using Puna.Models.Conversion;
using Puna.Tensors;
using Puna.Tensors.Quantization;

namespace Puna.Models.Adapters;

/// <summary>
/// What an adapter does to one weight W <c>[out, in]</c>: V = W + scale B A, and where there is a magnitude m (DoRA) every row of V is given the length m (spec training.md 4.6).
/// </summary>
/// <param name="A"><c>[rank, in]</c>.</param>
/// <param name="B"><c>[out, rank]</c>.</param>
/// <param name="Rank">Inner size.</param>
/// <param name="Scale">alpha / rank, or alpha / sqrt(rank).</param>
/// <param name="Magnitude"><c>[out]</c>, or null.</param>
/// <param name="Layout">Order of the rows of wq and wk in B and the magnitude.</param>
internal sealed record LoraPart(float[] A, float[] B, int Rank, double Scale, float[]? Magnitude, RopeLayout Layout)
{
    /// <summary>The adapted weight.</summary>
    /// <param name="canonical">Its name, which says whether the order of rows matters.</param>
    /// <param name="stored">The weight as it is stored, of any type that can be decoded.</param>
    /// <param name="layout">Order of the rows of wq and wk in it.</param>
    /// <param name="headDim">Rows per head.</param>
    /// <returns><c>[out, in]</c> float32.</returns>
    public Tensor Apply(string canonical, Tensor stored, RopeLayout layout, int headDim)
    {
        Tensor result = Tensor.Create(stored.Shape);
        bool reorder = RowOrder.DependsOnLayout(canonical) && layout != Layout;
        Parallel.For(0L, stored.Rows, row =>
        {
            Span<float> values = result.Row<float>(row);
            Dequantizer.Dequantize(stored.DType, stored.Row<byte>(row), values);
            long from = reorder ? RowOrder.Source(row, headDim, Layout, layout) : row;
            for (int r = 0; r < Rank; r++)
            {
                AddScaled(values, A.AsSpan(r * values.Length, values.Length), (float)(Scale * B[(from * Rank) + r]));
            }

            if (Magnitude is not null)
            {
                Stretch(values, Magnitude[from]);
            }
        });
        return result;
    }

    /// <summary>The factors that give the rows of V the lengths of the magnitude, in the order of the model's rows; null where there is no magnitude.</summary>
    /// <inheritdoc cref="Apply" path="/param"/>
    public float[]? Factors(string canonical, Tensor stored, RopeLayout layout, int headDim)
    {
        if (Magnitude is null)
        {
            return null;
        }

        var factors = new float[stored.Rows];
        bool reorder = RowOrder.DependsOnLayout(canonical) && layout != Layout;
        Parallel.For(0L, stored.Rows, () => new float[stored.Columns], (row, _, values) =>
        {
            Dequantizer.Dequantize(stored.DType, stored.Row<byte>(row), values);
            long from = reorder ? RowOrder.Source(row, headDim, Layout, layout) : row;
            for (int r = 0; r < Rank; r++)
            {
                AddScaled(values, A.AsSpan(r * values.Length, values.Length), (float)(Scale * B[(from * Rank) + r]));
            }

            factors[row] = Factor(values, Magnitude[from]);
            return values;
        }, static _ => { });
        return factors;
    }

    /// <summary>scale B in the order of the model's rows <c>[out, rank]</c>.</summary>
    /// <param name="canonical">Name of the weight.</param>
    /// <param name="layout">Order of the rows of wq and wk in the model.</param>
    /// <param name="headDim">Rows per head.</param>
    public float[] ScaledB(string canonical, RopeLayout layout, int headDim)
    {
        var result = new float[B.Length];
        bool reorder = RowOrder.DependsOnLayout(canonical) && layout != Layout;
        for (long row = 0; row < B.Length / Rank; row++)
        {
            long from = reorder ? RowOrder.Source(row, headDim, Layout, layout) : row;
            for (int r = 0; r < Rank; r++)
            {
                result[(row * Rank) + r] = (float)(Scale * B[(from * Rank) + r]);
            }
        }

        return result;
    }

    private static void AddScaled(Span<float> y, ReadOnlySpan<float> x, float factor)
    {
        int whole = y.Length - (y.Length % Vector<float>.Count);
        Span<Vector<float>> wideY = MemoryMarshal.Cast<float, Vector<float>>(y[..whole]);
        ReadOnlySpan<Vector<float>> wideX = MemoryMarshal.Cast<float, Vector<float>>(x[..whole]);
        for (int i = 0; i < wideY.Length; i++)
        {
            wideY[i] += wideX[i] * factor;
        }

        for (int i = whole; i < y.Length; i++)
        {
            y[i] += x[i] * factor;
        }
    }

    private static void Stretch(Span<float> row, float length)
    {
        float factor = Factor(row, length);
        foreach (ref float value in row)
        {
            value *= factor;
        }
    }

    private static float Factor(ReadOnlySpan<float> row, float length)
    {
        double sum = 0;
        foreach (float value in row)
        {
            sum += (double)value * value;
        }

        // A row of zeros has no direction that could be stretched.
        return sum > 0 ? (float)(length / Math.Sqrt(sum)) : 0;
    }
}
