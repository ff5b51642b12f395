using Puna.Tensors;

namespace Puna.Formats;

/// <summary>A tensor that is going to be written: declared before any data, so that a writer can lay out its file first.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="DType">Type of the values.</param>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="ByteLength">Bytes the values take.</param>
public sealed record TensorSpec(string Name, DType DType, Shape Shape, long ByteLength);
