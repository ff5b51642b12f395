using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Puts source blocks of 16 rows into the packed layout of <see cref="IIntegerForm"/>, and takes rows out again.</summary>
internal static unsafe class IntegerPacker
{
    private const int NotFinite = 0x7C00;

    /// <summary>Packs super-blocks of a tile.</summary>
    /// <param name="source">First block of the tile's first row.</param>
    /// <param name="stride">Bytes from a row to the next.</param>
    /// <param name="rows">Rows that exist, 1 to 16; the others become zero.</param>
    /// <param name="supers">Super-blocks per row.</param>
    /// <param name="tile">Receives the packed bytes.</param>
    /// <exception cref="PunaException">A scale that is not finite.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack<TForm>(byte* source, nint stride, int rows, int supers, byte* tile)
        where TForm : struct, IIntegerForm
    {
        byte* codes = stackalloc byte[256];
        byte* scales = stackalloc byte[16];
        byte* minima = stackalloc byte[16];
        int blockBytes = TForm.Type.BlockBytes();
        if (rows < PackedMatrix.TileRows)
        {
            Unsafe.InitBlockUnaligned(tile, 0, (uint)(supers * IntegerLayout<TForm>.Bytes));
        }

        bool moveWords = IntegerLayout<TForm>.WordsAt >= 0 && rows == PackedMatrix.TileRows && Sse2.IsSupported;
        for (int s = 0; s < supers; s++)
        {
            byte* column = source + ((nint)s * blockBytes);
            if (moveWords)
            {
                MoveWords<TForm>(column + IntegerLayout<TForm>.WordsAt, stride, (uint*)(tile + IntegerLayout<TForm>.Codes));
            }

            for (int r = 0; r < rows; r++)
            {
                byte* block = column + (r * stride);
                TForm.Split(block, codes, scales, minima, out ushort d, out ushort least);
                if ((d & NotFinite) == NotFinite || (least & NotFinite) == NotFinite)
                {
                    throw new PunaException($"block {s} of a row of {TForm.Type.Name()}: expected a finite scale, got infinity or NaN");
                }

                ((ushort*)tile)[r] = d;
                if (IntegerLayout<TForm>.HasLeast)
                {
                    ((ushort*)(tile + IntegerLayout<TForm>.Least))[r] = least;
                }

                for (int g = 0; IntegerLayout<TForm>.HasScales && g < IntegerLayout<TForm>.Groups; g++)
                {
                    tile[IntegerLayout<TForm>.Scales + (16 * g) + r] = scales[g];
                }

                for (int g = 0; IntegerLayout<TForm>.HasMinima && g < IntegerLayout<TForm>.Groups; g++)
                {
                    tile[IntegerLayout<TForm>.Minima + (16 * g) + r] = minima[g];
                }

                uint* words = (uint*)(tile + IntegerLayout<TForm>.Codes) + r;
                if (moveWords)
                {
                    continue;
                }

                if (IntegerLayout<TForm>.WordsAt >= 0)
                {
                    for (int i = 0; i < (IntegerLayout<TForm>.Eight ? 8 : 4); i++)
                    {
                        words[16 * i] = Unsafe.ReadUnaligned<uint>(block + IntegerLayout<TForm>.WordsAt + (4 * i));
                    }

                    continue;
                }

                for (int b = 0; b < IntegerLayout<TForm>.Blocks; b++)
                {
                    PutCodes<TForm>(codes + (32 * b), words);
                    words += IntegerLayout<TForm>.BlockBytes / sizeof(uint);
                }
            }

            tile += IntegerLayout<TForm>.Bytes;
        }
    }

    /// <summary>The values of one row of a tile, with the rounding of the type's decoder.</summary>
    /// <param name="tile">The packed tile.</param>
    /// <param name="row">Row in the tile.</param>
    /// <param name="supers">Super-blocks per row.</param>
    /// <param name="values">Receives the row.</param>
    public static void Unpack<TForm>(byte* tile, int row, int supers, float* values)
        where TForm : struct, IIntegerForm
    {
        for (int s = 0; s < supers; s++)
        {
            float d = Puna.Tensors.Quantization.FloatBits.FromHalf(((ushort*)tile)[row]);
            float least = IntegerLayout<TForm>.HasLeast ? Puna.Tensors.Quantization.FloatBits.FromHalf(((ushort*)(tile + IntegerLayout<TForm>.Least))[row]) : 0;
            for (int k = 0; k < IntegerLayout<TForm>.Values; k++)
            {
                int group = k / (32 / IntegerLayout<TForm>.BlockGroups);
                int code = Code<TForm>((uint*)(tile + IntegerLayout<TForm>.Codes + (k / 32 * IntegerLayout<TForm>.BlockBytes)) + row, k % 32);
                float scale = IntegerLayout<TForm>.HasScales ? d * Scale<TForm>(tile, group, row) : d;
                float value = scale * (code - IntegerLayout<TForm>.Zero);
                if (IntegerLayout<TForm>.HasLeast)
                {
                    value += IntegerLayout<TForm>.HasMinima ? least * tile[IntegerLayout<TForm>.Minima + (16 * group) + row] : least;
                }

                values[k] = value;
            }

            tile += IntegerLayout<TForm>.Bytes;
            values += IntegerLayout<TForm>.Values;
        }
    }

    /// <summary>The integer scale of a group, 1 where the form has none.</summary>
    public static int Scale<TForm>(byte* super, int group, int row)
        where TForm : struct, IIntegerForm
    {
        if (!IntegerLayout<TForm>.HasScales)
        {
            return 1;
        }

        byte scale = super[IntegerLayout<TForm>.Scales + (16 * group) + row];
        return IntegerLayout<TForm>.SignedScales ? (sbyte)scale : scale;
    }

    /// <summary>The code of input <paramref name="k"/> of 32, the words of its row beginning at <paramref name="words"/>, 16 apart.</summary>
    public static int Code<TForm>(uint* words, int k)
        where TForm : struct, IIntegerForm
    {
        int inByte = 8 * (k % 4);
        int upper = k / 16;
        int group = k % 16 / 4;
        if (IntegerLayout<TForm>.Eight)
        {
            return (sbyte)(words[16 * (k / 4)] >> inByte);
        }

        int code = 0;
        if (IntegerLayout<TForm>.Four)
        {
            code = (int)(words[16 * group] >> (inByte + (4 * upper))) & 15;
        }

        if (IntegerLayout<TForm>.Two)
        {
            code |= ((int)(words[(IntegerLayout<TForm>.TwoPlane / 4) + (16 * (group / 2))] >> (inByte + (4 * (group % 2)) + (2 * upper))) & 3) << IntegerLayout<TForm>.TwoBit;
        }

        if (IntegerLayout<TForm>.One)
        {
            code |= ((int)(words[IntegerLayout<TForm>.OnePlane / 4] >> (inByte + (2 * group) + upper)) & 1) << IntegerLayout<TForm>.OneBit;
        }

        return code;
    }

    /// <summary>The words of sixteen blocks, a row's after another's, to words of sixteen rows: four by four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MoveWords<TForm>(byte* from, nint stride, uint* to)
        where TForm : struct, IIntegerForm
    {
        for (int r = 0; r < PackedMatrix.TileRows; r += 4)
        {
            byte* row = from + (r * stride);
            for (int i = 0; i < (IntegerLayout<TForm>.Eight ? 8 : 4); i += 4)
            {
                Vector128<uint> a = Vector128.Load((uint*)(row + (4 * i)));
                Vector128<uint> b = Vector128.Load((uint*)(row + stride + (4 * i)));
                Vector128<uint> c = Vector128.Load((uint*)(row + (2 * stride) + (4 * i)));
                Vector128<uint> d = Vector128.Load((uint*)(row + (3 * stride) + (4 * i)));
                Vector128<ulong> ab0 = Sse2.UnpackLow(a, b).AsUInt64(), ab2 = Sse2.UnpackHigh(a, b).AsUInt64();
                Vector128<ulong> cd0 = Sse2.UnpackLow(c, d).AsUInt64(), cd2 = Sse2.UnpackHigh(c, d).AsUInt64();
                uint* word = to + (16 * i) + r;
                Sse2.UnpackLow(ab0, cd0).AsUInt32().Store(word);
                Sse2.UnpackHigh(ab0, cd0).AsUInt32().Store(word + 16);
                Sse2.UnpackLow(ab2, cd2).AsUInt32().Store(word + 32);
                Sse2.UnpackHigh(ab2, cd2).AsUInt32().Store(word + 48);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutCodes<TForm>(byte* codes, uint* words)
        where TForm : struct, IIntegerForm
    {
        uint* c = (uint*)codes;
        if (IntegerLayout<TForm>.Eight)
        {
            for (int i = 0; i < 8; i++)
            {
                words[16 * i] = c[i];
            }

            return;
        }

        if (IntegerLayout<TForm>.Four)
        {
            for (int g = 0; g < 4; g++)
            {
                words[16 * g] = (c[g] & 0x0F0F_0F0F) | ((c[4 + g] & 0x0F0F_0F0F) << 4);
            }
        }

        if (IntegerLayout<TForm>.Two)
        {
            for (int h = 0; h < 2; h++)
            {
                words[(IntegerLayout<TForm>.TwoPlane / 4) + (16 * h)] =
                    Two<TForm>(c[2 * h]) | (Two<TForm>(c[4 + (2 * h)]) << 2) | (Two<TForm>(c[(2 * h) + 1]) << 4) | (Two<TForm>(c[5 + (2 * h)]) << 6);
            }
        }

        if (IntegerLayout<TForm>.One)
        {
            uint word = 0;
            for (int g = 0; g < 4; g++)
            {
                word |= (One<TForm>(c[g]) << (2 * g)) | (One<TForm>(c[4 + g]) << ((2 * g) + 1));
            }

            words[IntegerLayout<TForm>.OnePlane / 4] = word;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Two<TForm>(uint codes)
        where TForm : struct, IIntegerForm => (codes >> IntegerLayout<TForm>.TwoBit) & 0x0303_0303;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint One<TForm>(uint codes)
        where TForm : struct, IIntegerForm => (codes >> IntegerLayout<TForm>.OneBit) & 0x0101_0101;
}
