namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// A block type as integer codes: w = d * scale * (code - zero) + least * m. Says which parts a type has; all kernels are compiled for each form, the properties being constants
/// to them.
/// </summary>
/// <remarks>
/// Packed, a super-block of 16 rows is: d (16 halves), least (16 halves, where there are minima), scales (per group 16 bytes), minima m (per group 16 bytes), then for
/// each 32 inputs the planes of the codes. A plane is made of 32-bit words, one per row, and a word of fields at the same place in its four bytes, which hold four consecutive inputs: so
/// packing moves whole words, and a shift and a mask leave four unsigned bytes per row, ready for a multiply-add of bytes. Signed bytes are taken apart into pairs of 16-bit integers, bytes 0
/// and 2 of a word, or 1 and 3. Group g, 0 to 3, is inputs 4g to 4g + 3 and 16 + 4g to 16 + 4g + 3.
/// <list type="bullet">
/// <item><c>Eight</c>: 8 words of signed bytes; group g has words g and 4 + g.</item>
/// <item><c>Four</c>: 4 words; word g has the first four inputs of group g in its low nibbles, the others in its high ones.</item>
/// <item><c>Two</c>: 2 words; word h has groups 2h (bits 0 and 2 of each byte) and 2h + 1 (bits 4 and 6).</item>
/// <item><c>One</c>: 1 word; group g has bits 2g and 2g + 1 of each byte.</item>
/// </list>
/// </remarks>
internal unsafe interface IIntegerForm
{
    /// <summary>The type.</summary>
    static abstract DType Type { get; }

    /// <summary>Whether codes are signed bytes.</summary>
    static virtual bool Eight => false;

    /// <summary>Whether there is a plane with the four lowest bits.</summary>
    static virtual bool Four => false;

    /// <summary>Whether there is a plane with two bits (above the four, or the lowest).</summary>
    static virtual bool Two => false;

    /// <summary>Whether there is a plane with the highest bit.</summary>
    static virtual bool One => false;

    /// <summary>Blocks of 32 inputs that share d: 1 or 8.</summary>
    static virtual int Blocks => 1;

    /// <summary>Groups with a scale of their own in 32 inputs: 1 or 2.</summary>
    static virtual int Groups => 1;

    /// <summary>Whether groups have integer scales.</summary>
    static virtual bool HasScales => false;

    /// <summary>Whether these scales are signed bytes.</summary>
    static virtual bool SignedScales => false;

    /// <summary>Whether something is added that does not depend on the code.</summary>
    static virtual bool HasLeast => false;

    /// <summary>Whether groups have an integer m of their own for that; else m is 1.</summary>
    static virtual bool HasMinima => false;

    /// <summary>zero = 1 &lt;&lt; ZeroShift; -1 where it is 0.</summary>
    static virtual int ZeroShift => -1;

    /// <summary>Where a source block has the words of its only plane as they are packed; -1 where codes have to be put together.</summary>
    static virtual int WordsAt => -1;

    /// <summary>Takes one source block apart.</summary>
    /// <param name="block">Source block of the type.</param>
    /// <param name="codes">Receives 32 or 256 codes in the order of the inputs.</param>
    /// <param name="scales">Receives a scale per group, where there are any.</param>
    /// <param name="minima">Receives m per group, where there are any.</param>
    /// <param name="d">The scale, a half.</param>
    /// <param name="least">What m is multiplied with, a half with its sign.</param>
    static abstract void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least);
}
