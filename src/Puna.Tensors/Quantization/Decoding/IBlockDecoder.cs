namespace Puna.Tensors.Quantization.Decoding;

/// <summary>
/// How one block of a storage type becomes float32 values: the scalar twin that defines the result bit for bit (spec llama1-3.md 3.4). Implemented by
/// empty structs, so that generic row loops are compiled once per type without a call through a delegate.
/// </summary>
internal interface IBlockDecoder
{
    /// <summary>Values in a block.</summary>
    static abstract int Values { get; }

    /// <summary>Bytes of a block.</summary>
    static abstract int Bytes { get; }

    /// <summary>Decodes one block of <see cref="Bytes"/> bytes into <see cref="Values"/> values.</summary>
    static abstract void Decode(ReadOnlySpan<byte> block, Span<float> values);
}
