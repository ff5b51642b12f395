using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// Codes of a tile made ready for many input rows: pairs of 16-bit integers <c>(code - zero) * scale</c> for up to <see cref="Chunk"/> inputs, small enough for the first-level cache,
/// with the floats they are to be multiplied with.
/// </summary>
internal unsafe struct IntegerPanel
{
    /// <summary>Inputs of a panel.</summary>
    public const int Chunk = 512;

    /// <summary>Floats of memory for a panel.</summary>
    public const int Floats = (Chunk / 2 * 16) + (Chunk / 32 * 16 * 2) + (Chunk / 16 * 16);

    /// <summary>Pairs <c>[Chunk / 2, 16 rows]</c>.</summary>
    public int* Pairs;

    /// <summary>d <c>[super-blocks, 16 rows]</c>.</summary>
    public float* D;

    /// <summary>What minima are multiplied with <c>[super-blocks, 16 rows]</c>.</summary>
    public float* Least;

    /// <summary>Minima <c>[groups, 16 rows]</c>.</summary>
    public float* Minima;

    /// <summary>A panel in memory of <see cref="Floats"/> floats.</summary>
    public static IntegerPanel At(float* memory) => new()
    {
        Pairs = (int*)memory,
        D = memory + (Chunk / 2 * 16),
        Least = memory + (Chunk / 2 * 16) + (Chunk / 32 * 16),
        Minima = memory + (Chunk / 2 * 16) + (Chunk / 32 * 16 * 2),
    };
}
