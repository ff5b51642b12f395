using System.Runtime.CompilerServices;
using Puna.Tensors.Quantization;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Puts 16 rows of floats side by side, and takes rows out again.</summary>
internal static unsafe class FloatPacker
{
    /// <summary>Packs a tile: float32 <c>[columns, 16]</c>, or 16-bit floats <c>[columns / 2, 16, 2]</c>.</summary>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="source">First row.</param>
    /// <param name="stride">Bytes from a row to the next.</param>
    /// <param name="rows">Rows that exist; the others become zero.</param>
    /// <param name="columns">Values per row.</param>
    /// <param name="tile">Receives the packed bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(DType type, byte* source, nint stride, int rows, int columns, byte* tile)
    {
        // Sixteen columns at a time: they are a cache line or half of one in each row, and contiguous in the tile.
        const int Strip = 16;
        bool wide = type == DType.F32;
        int words = wide ? columns : columns / 2;
        for (int first = 0; first < words; first += Strip)
        {
            int count = Math.Min(Strip, words - first);
            for (int r = 0; r < PackedMatrix.TileRows; r++)
            {
                uint* to = (uint*)tile + ((nint)first * PackedMatrix.TileRows) + r;
                byte* from = source + (r * stride) + ((nint)first * sizeof(uint));
                for (int i = 0; i < count; i++)
                {
                    *to = r < rows ? Unsafe.ReadUnaligned<uint>(from + (sizeof(uint) * i)) : 0;
                    to += PackedMatrix.TileRows;
                }
            }
        }

        for (int r = 0; !wide && columns % 2 == 1 && r < PackedMatrix.TileRows; r++)
        {
            ((uint*)tile)[((nint)words * PackedMatrix.TileRows) + r] = r < rows ? Unsafe.ReadUnaligned<ushort>(source + (r * stride) + ((nint)words * sizeof(uint))) : 0u;
        }
    }

    /// <summary>One value of a packed tile.</summary>
    public static float Value(DType type, byte* tile, int row, int column)
    {
        if (type == DType.F32)
        {
            return ((float*)tile)[((nint)column * PackedMatrix.TileRows) + row];
        }

        uint bits = (((uint*)tile)[((nint)(column / 2) * PackedMatrix.TileRows) + row] >> (16 * (column & 1))) & 0xFFFF;
        return type == DType.BF16 ? FloatBits.FromBFloat16(bits) : FloatBits.FromHalf(bits);
    }
}
