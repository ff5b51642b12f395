using System.Runtime.InteropServices;
using Puna.Formats;
using Puna.Tensors;

namespace Puna.Models.Tests.Checkpoints.LowPrecision;

/// <summary>A tensor to write, as bytes.</summary>
internal sealed record StoredTensor(string Name, DType Type, long[] Shape, byte[] Bytes)
{
    public static StoredTensor Floats(string name, long[] shape, float[] values) => new(name, DType.F32, shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    /// <summary>Values whose lower 16 bits are zero, as bfloat16.</summary>
    public static StoredTensor BFloat16(string name, long[] shape, float[] values) =>
        new(name, DType.BF16, shape, [.. values.SelectMany(static v => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits(v) >> 16)))]);

    public static StoredTensor Integers(string name, long[] shape, sbyte[] values) => new(name, DType.I8, shape, MemoryMarshal.AsBytes<sbyte>(values).ToArray());

    /// <summary>Cuts the lower 16 bits of a value off.</summary>
    public static float Cut(double value) => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((float)value) & 0xFFFF0000);

    public static void WriteAll(TensorWriter writer, IReadOnlyCollection<StoredTensor> tensors)
    {
        foreach (StoredTensor tensor in tensors)
        {
            writer.Declare(tensor.Name, tensor.Type, new Shape(tensor.Shape));
        }

        writer.Begin();
        foreach (StoredTensor tensor in tensors)
        {
            writer.Write(tensor.Bytes);
        }

        writer.Complete();
    }
}
