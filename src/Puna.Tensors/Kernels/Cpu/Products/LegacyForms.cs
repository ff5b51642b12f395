using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Q4_0: d·(n−8).</summary>
internal readonly unsafe struct Q4_0Form : IIntegerForm
{
    public static DType Type => DType.Q4_0;

    public static bool Four => true;

    public static int ZeroShift => 3;

    public static int WordsAt => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        (d, least) = (*(ushort*)block, 0);
        Nibbles(block + 2, codes);
    }

    /// <summary>Sixteen bytes to 32 codes: low nibbles first, then high ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Nibbles(byte* q, byte* codes)
    {
        for (int i = 0; i < 2; i++)
        {
            ulong v = ((ulong*)q)[i];
            ((ulong*)codes)[i] = v & 0x0F0F_0F0F_0F0F_0F0F;
            ((ulong*)codes)[i + 2] = (v >> 4) & 0x0F0F_0F0F_0F0F_0F0F;
        }
    }

    /// <summary>Bit i of <paramref name="bits"/> becomes bit 4 of code i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FifthBits(uint bits, byte* codes)
    {
        for (int i = 0; i < 32; i++)
        {
            codes[i] |= (byte)(((bits >> i) & 1) << 4);
        }
    }
}

/// <summary>Q4_1: d·n + m.</summary>
internal readonly unsafe struct Q4_1Form : IIntegerForm
{
    public static DType Type => DType.Q4_1;

    public static bool Four => true;

    public static int WordsAt => 4;

    public static bool HasLeast => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        (d, least) = (((ushort*)block)[0], ((ushort*)block)[1]);
        Q4_0Form.Nibbles(block + 4, codes);
    }
}

/// <summary>Q5_0: d·(n−16).</summary>
internal readonly unsafe struct Q5_0Form : IIntegerForm
{
    public static DType Type => DType.Q5_0;

    public static bool Four => true;

    public static bool One => true;

    public static int ZeroShift => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        (d, least) = (*(ushort*)block, 0);
        Q4_0Form.Nibbles(block + 6, codes);
        Q4_0Form.FifthBits(Unsafe.ReadUnaligned<uint>(block + 2), codes);
    }
}

/// <summary>Q5_1: d·n + m.</summary>
internal readonly unsafe struct Q5_1Form : IIntegerForm
{
    public static DType Type => DType.Q5_1;

    public static bool Four => true;

    public static bool One => true;

    public static bool HasLeast => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        (d, least) = (((ushort*)block)[0], ((ushort*)block)[1]);
        Q4_0Form.Nibbles(block + 8, codes);
        Q4_0Form.FifthBits(Unsafe.ReadUnaligned<uint>(block + 4), codes);
    }
}

/// <summary>Q8_0: d·q, q signed.</summary>
internal readonly unsafe struct Q8_0Form : IIntegerForm
{
    public static DType Type => DType.Q8_0;

    public static bool Eight => true;

    public static int WordsAt => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        (d, least) = (*(ushort*)block, 0);
        Unsafe.CopyBlockUnaligned(codes, block + 2, 32);
    }
}
