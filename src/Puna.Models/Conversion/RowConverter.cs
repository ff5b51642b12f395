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
    /// <exception cref="PunaException">A value that the type cannot hold.</exception>
    public static void Convert(Tensor from, DType type, Func<long, long> source, long first, int count, byte[] destination, string name)
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
            Parallel.For(0, count, r => Row(from, type, source(first + r), destination.AsSpan(r * rowBytes, rowBytes), name));
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
            CheckHalf(type, values.AsSpan(0, columns));
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

    /// <summary>A finite value must not silently become infinite.</summary>
    private static void CheckHalf(DType type, ReadOnlySpan<float> values)
    {
        if (type != DType.F16)
        {
            return;
        }

        foreach (float value in values)
        {
            if (MathF.Abs(value) >= 65520 && float.IsFinite(value))
            {
                throw new PunaException($"f16: expected values below 65520, got {value} (bf16 and f32 can hold it)");
            }
        }
    }
}
