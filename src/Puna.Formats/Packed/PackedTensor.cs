using Puna.Tensors;

namespace Puna.Formats.Packed;

/// <summary>What a file of packed weights says of one of them.</summary>
/// <param name="Name">Name in the checkpoint it was made from.</param>
/// <param name="Type">Type of the values; of vectors float32.</param>
/// <param name="Shape"><c>[out, in]</c>, or <c>[size]</c> for a vector, which is not packed.</param>
/// <param name="Offset">First byte in the file, a multiple of 64.</param>
/// <param name="ByteLength">Bytes, without those that fill up to a multiple of 64.</param>
/// <param name="Checksum"><see cref="PackedChecksums"/> of the bytes.</param>
public sealed record PackedTensor(string Name, DType Type, Shape Shape, long Offset, long ByteLength, UInt128 Checksum)
{
    /// <summary>Bytes that a weight of this type and shape takes packed; -1 where there is no such weight.</summary>
    public static long BytesOf(DType type, Shape shape)
    {
        bool isVector = shape.Rank == 1;
        if ((!isVector && shape.Rank != 2) || shape.Rows > int.MaxValue || shape.Columns > int.MaxValue || shape.Count == 0 || !(isVector ? type == DType.F32 : type.IsFloat() || type.IsBlock())
            || shape.Columns % type.BlockSize() != 0)
        {
            return -1;
        }

        try
        {
            return isVector ? type.RowBytes(shape.Columns) : PackedMatrix.Bytes(type, (int)shape.Rows, (int)shape.Columns);
        }
        catch (OverflowException)
        {
            return -1;
        }
    }
}
