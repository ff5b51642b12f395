using Puna.Tensors;

namespace Puna.Formats;

/// <summary>What a file says of one tensor, before any of its bytes are touched.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="DType">Type of the values.</param>
/// <param name="Shape">Sizes, outermost first (PyTorch order, whatever order the file uses).</param>
/// <param name="File">Path of the file that holds the bytes.</param>
/// <param name="Offset">Byte offset of the first value in that file.</param>
/// <param name="ByteLength">Bytes the values take.</param>
public sealed record TensorInfo(string Name, DType DType, Shape Shape, string File, long Offset, long ByteLength);
