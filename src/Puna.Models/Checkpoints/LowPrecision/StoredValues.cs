using System.Runtime.InteropServices;
using Puna.Formats;
using Puna.Tensors;
using Puna.Tensors.Quantization;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>Values of small tensors that belong to codes: scales, zero points, adapters.</summary>
internal static class StoredValues
{
    /// <summary>Whether the type can be read.</summary>
    public static bool CanRead(DType type) => type.IsFloat() || type == DType.I8;

    /// <summary>All values of a tensor, in row order.</summary>
    public static float[] Read(TensorFile file, TensorInfo info)
    {
        Tensor tensor = file.GetTensor(info.Name);
        var values = new float[checked((int)info.Shape.Count)];
        int columns = checked((int)info.Shape.Columns);
        for (long row = 0; row < info.Shape.Rows; row++)
        {
            Row(tensor, row, values.AsSpan(checked((int)row * columns), columns));
        }

        file.Release(tensor);
        return values;
    }

    /// <summary>A row of plain numbers: floats of 32, 16 or 8 bits, or integers of 8.</summary>
    public static void Row(Tensor tensor, long row, Span<float> values)
    {
        switch (tensor.DType)
        {
            case DType.I8:
                ReadOnlySpan<sbyte> integers = MemoryMarshal.Cast<byte, sbyte>(tensor.Row<byte>(row));
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = integers[i];
                }

                break;
            case DType.F8_E4M3:
                ReadOnlySpan<byte> codes = tensor.Row<byte>(row);
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = Float8.FromE4M3(codes[i]);
                }

                break;
            default:
                Dequantizer.Dequantize(tensor.DType, tensor.Row<byte>(row), values);
                break;
        }
    }
}
