using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
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
    /// <exception cref="PunaException">A half that is not finite.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(DType type, byte* source, nint stride, int rows, int columns, byte* tile)
    {
        // Sixteen columns at a time: they are a cache line or half of one in each row, and contiguous in the tile.
        const int Strip = 16;
        bool wide = type == DType.F32;
        if (type == DType.F16)
        {
            RequireFinite(source, stride, rows, columns);
        }

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

    /// <summary>Kernels convert halves with three operations, which do not know infinity and NaN; no working model has such a weight.</summary>
    private static void RequireFinite(byte* source, nint stride, int rows, int columns)
    {
        for (int r = 0; r < rows; r++)
        {
            var row = new ReadOnlySpan<ushort>(source + (r * stride), columns);
            Vector256<ushort> exponent = Vector256.Create((ushort)0x7C00);
            Vector256<ushort> found = default;
            int i = 0;
            for (; i + 16 <= columns; i += 16)
            {
                found |= Vector256.Equals(Vector256.Create(row[i..]) & exponent, exponent);
            }

            bool bad = found != default;
            for (; i < columns; i++)
            {
                bad |= (row[i] & 0x7C00) == 0x7C00;
            }

            if (bad)
            {
                throw new PunaException("row of f16: expected finite values, got infinity or NaN");
            }
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
