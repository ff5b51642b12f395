namespace Puna.Tensors.Quantization.Encoding;

/// <summary>
/// How the values of one block become bytes: the scalar twin. The procedures are those of llama.cpp's quantiser without an importance matrix, float32
/// arithmetic in the same order, so that the bytes are the same. Input is finite; implemented by empty structs, so that the row loop is compiled per type.
/// </summary>
internal interface IBlockEncoder
{
    /// <summary>Values in a block.</summary>
    static abstract int Values { get; }

    /// <summary>Bytes of a block.</summary>
    static abstract int Bytes { get; }

    /// <summary>Encodes one block; every byte is written.</summary>
    /// <returns>False if a scale does not fit its half-precision field: the values are too large for the type.</returns>
    static abstract bool Encode(ReadOnlySpan<float> values, Span<byte> block);
}
