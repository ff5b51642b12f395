using System.Buffers;
using Puna.Tensors;
using Puna.Tensors.Quantization;

namespace Puna.Models.Conversion;

/// <summary>Turns rows of a tensor into another type and order, several at a time on several threads.</summary>
internal static class RowConverter
{
    /// <summary>Converts consecutive rows of the result.</summary>
    /// <param name="from">The stored tensor.</param>
    /// <param name="type">Type of the result.</param>
    /// <param name="source">The stored row that becomes a row of the result.</param>
    /// <param name="first">First row of the result.</param>
    /// <param name="count">Rows.</param>
    /// <param name="destination">Receives the rows, without gaps.</param>
    /// <param name="name">Name of the tensor, for messages.</param>
    /// <param name="threads">Most threads that work at a time.</param>
    /// <exception cref="PunaException">A value that the type cannot hold.</exception>
    public static void Convert(Tensor from, DType type, Func<long, long> source, long first, int count, byte[] destination, string name, int threads)
    {
        int rowBytes = (int)type.RowBytes(from.Columns);
        if (from.DType == type)
        {
            for (int r = 0; r < count; r++)
            {
                from.Row<byte>(source(first + r)).CopyTo(destination.AsSpan(r * rowBytes, rowBytes));
            }

            return;
        }

        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, threads) }, r => Row(from, type, source(first + r), destination.AsSpan(r * rowBytes, rowBytes), name));
        }
        catch (AggregateException e) when (e.InnerException is PunaException inner)
        {
            throw new PunaException(inner.Message, e);
        }
    }

    private static void Row(Tensor from, DType type, long row, Span<byte> destination, string name)
    {
        int columns = (int)from.Columns;
        float[] values = ArrayPool<float>.Shared.Rent(columns);
        try
        {
            Dequantizer.Dequantize(from.DType, from.Row<byte>(row), values.AsSpan(0, columns));
            CheckRange(type, values.AsSpan(0, columns));
            Quantizer.Quantize(type, values.AsSpan(0, columns), destination);
        }
        catch (PunaException e)
        {
            throw new PunaException($"tensor {name} row {row}: {e.Message}", e);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(values);
        }
    }

    /// <summary>A finite value must not silently become infinite; block types check their scales themselves.</summary>
    private static void CheckRange(DType type, ReadOnlySpan<float> values)
    {
        // The least magnitudes that round to infinity: half a unit above the greatest number.
        float limit = type switch { DType.F16 => 65520f, DType.BF16 => BitConverter.UInt32BitsToSingle(0x7F7F8000), _ => float.PositiveInfinity };
        foreach (float value in values)
        {
            if (MathF.Abs(value) >= limit && float.IsFinite(value))
            {
                throw new PunaException(FormattableString.Invariant($"{type.Name()}: expected values below {limit}, got {value}, which f32 can hold"));
            }
        }
    }
}
