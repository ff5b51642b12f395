using System.Runtime.InteropServices;
using Puna.Tensors;

namespace Puna.Formats.Tests;

/// <summary>Takes tensors apart for comparison.</summary>
internal static class TensorBytes
{
    /// <summary>All bytes of a tensor, row by row.</summary>
    public static byte[] Of(Tensor tensor)
    {
        var bytes = new List<byte>();
        for (long row = 0; row < (tensor.Shape.Count == 0 ? 0 : tensor.Rows); row++)
        {
            bytes.AddRange(tensor.Row<byte>(row));
        }

        return [.. bytes];
    }

    public static T[] Of<T>(Tensor tensor)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Of(tensor)).ToArray();

    /// <summary>Bytes that differ from tensor to tensor and from place to place.</summary>
    public static byte[] Pattern(long length, int salt) => [.. Enumerable.Range(0, (int)length).Select(i => (byte)((i * 7) + (i >> 8) + (salt * 31)))];

    /// <summary>Writes all tensors of a writer with <see cref="Pattern"/>, in pieces of an awkward size.</summary>
    public static void WriteAll(TensorWriter writer, params ReadOnlySpan<(string Name, DType DType, Shape Shape)> tensors)
    {
        foreach ((string name, DType dtype, Shape shape) in tensors)
        {
            writer.Declare(name, dtype, shape);
        }

        writer.Begin();
        for (int i = 0; i < tensors.Length; i++)
        {
            byte[] bytes = Pattern(writer.Tensors[i].ByteLength, i);
            for (int at = 0; at < bytes.Length; at += 13)
            {
                writer.Write(bytes.AsSpan(at, Math.Min(13, bytes.Length - at)));
            }
        }

        writer.Complete();
    }

    /// <summary>Asserts that a file holds what <see cref="WriteAll"/> wrote.</summary>
    public static void AssertAll(TensorFile file, params ReadOnlySpan<(string Name, DType DType, Shape Shape)> tensors)
    {
        Assert.Equal(tensors.Length, file.Tensors.Count);
        for (int i = 0; i < tensors.Length; i++)
        {
            (string name, DType dtype, Shape shape) = tensors[i];
            Assert.True(file.TryGetInfo(name, out TensorInfo? info), name);
            Assert.Equal(dtype, info.DType);
            Assert.Equal(shape, info.Shape);
            Tensor tensor = file.GetTensor(name);
            Assert.Equal(shape, tensor.Shape);
            Assert.Equal(Pattern(info.ByteLength, i), Of(tensor));
        }
    }
}
