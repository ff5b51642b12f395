namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// Codes of a tile made ready for many input rows, up to <see cref="Chunk"/> inputs, small enough for the first-level cache, with the floats they are to be multiplied with.
/// </summary>
internal unsafe struct IntegerPanel
{
    /// <summary>Inputs of a panel.</summary>
    public const int Chunk = 512;

    /// <summary>Place of what sums of inputs are multiplied with, from <see cref="D"/>.</summary>
    public const int LeastAt = Chunk / 16 * 16;

    /// <summary>Floats of memory for a panel.</summary>
    public const int Floats = (Chunk / 2 * 16) + (2 * LeastAt);

    /// <summary>Quads of bytes <c>[Chunk / 4, 16 rows]</c>, or pairs of 16-bit integers <c>[Chunk / 2, 16 rows]</c>.</summary>
    public int* Codes;

    /// <summary>
    /// What integer sums are multiplied with <c>[groups, 16 rows]</c>, and, <see cref="LeastAt"/> floats further, what sums of inputs are multiplied with.
    /// </summary>
    public float* D;

    /// <summary>A panel in memory of <see cref="Floats"/> floats.</summary>
    public static IntegerPanel At(float* memory) => new()
    {
        Codes = (int*)memory,
        D = memory + (Chunk / 2 * 16),
    };
}
