using System.Runtime.CompilerServices;
using Puna.Tensors.Quantization.Decoding;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Q2_K: (d·s)·n − dmin·m per 16 values; n has two bits.</summary>
internal readonly unsafe struct Q2KForm : IIntegerForm
{
    public static DType Type => DType.Q2_K;

    public static bool Two => true;

    public static int Blocks => 8;

    public static int Groups => 2;

    public static bool HasScales => true;

    public static bool HasLeast => true;

    public static bool HasMinima => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        (d, least) = (*(ushort*)(block + 80), (ushort)(*(ushort*)(block + 82) ^ 0x8000));
        for (int g = 0; g < 16; g++)
        {
            scales[g] = (byte)(block[g] & 15);
            minima[g] = (byte)(block[g] >> 4);
        }

        Twos(block + 16, codes);
    }

    /// <summary>The two-bit numbers of Q2_K and Q3_K: 64 bytes in two halves of 32, four planes of 32 values each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Twos(byte* q, byte* codes)
    {
        for (int i = 0; i < 32; i++)
        {
            ulong v = *(ulong*)(q + (32 * (i / 16)) + (8 * (i % 4)));
            ((ulong*)codes)[i] = (v >> (2 * (i % 16 / 4))) & 0x0303_0303_0303_0303;
        }
    }
}

/// <summary>Q3_K: (d·(s−32))·(n−4) per 16 values; n has three bits.</summary>
internal readonly unsafe struct Q3KForm : IIntegerForm
{
    public static DType Type => DType.Q3_K;

    public static bool Two => true;

    public static bool One => true;

    public static int Blocks => 8;

    public static int Groups => 2;

    public static bool HasScales => true;

    public static bool SignedScales => true;

    public static int ZeroShift => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        (d, least) = (*(ushort*)(block + 108), 0);
        for (int g = 0; g < 16; g++)
        {
            scales[g] = (byte)(Q3KDecoder.Scale(new ReadOnlySpan<byte>(block + 96, 12), g) - 32);
        }

        Q2KForm.Twos(block + 32, codes);
        for (int i = 0; i < 32; i++)
        {
            ulong high = *(ulong*)(block + (8 * (i % 4))) >> (i / 4);
            ((ulong*)codes)[i] |= (high & 0x0101_0101_0101_0101) << 2;
        }
    }
}

/// <summary>Q4_K: (d·s)·n − dmin·m per 32 values.</summary>
internal readonly unsafe struct Q4KForm : IIntegerForm
{
    public static DType Type => DType.Q4_K;

    public static bool Four => true;

    public static int Blocks => 8;

    public static bool HasScales => true;

    public static bool HasLeast => true;

    public static bool HasMinima => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        Scales(block, scales, minima, out d, out least);
        Nibbles(block + 16, codes);
    }

    /// <summary>The scales of Q4_K and Q5_K; what is subtracted gets its sign here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* block, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        (d, least) = (((ushort*)block)[0], (ushort)(((ushort*)block)[1] ^ 0x8000));
        for (int g = 0; g < 8; g++)
        {
            Q4KDecoder.Scales(new ReadOnlySpan<byte>(block + 4, 12), g, out int scale, out int minimum);
            scales[g] = (byte)scale;
            minima[g] = (byte)minimum;
        }
    }

    /// <summary>128 bytes to 256 codes: of each 32 bytes the low nibbles, then the high ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Nibbles(byte* q, byte* codes)
    {
        for (int i = 0; i < 16; i++)
        {
            ulong v = ((ulong*)q)[i];
            ulong* to = (ulong*)codes + (8 * (i / 4)) + (i % 4);
            to[0] = v & 0x0F0F_0F0F_0F0F_0F0F;
            to[4] = (v >> 4) & 0x0F0F_0F0F_0F0F_0F0F;
        }
    }
}

/// <summary>Q5_K: as Q4_K with a fifth bit.</summary>
internal readonly unsafe struct Q5KForm : IIntegerForm
{
    public static DType Type => DType.Q5_K;

    public static bool Four => true;

    public static bool One => true;

    public static int Blocks => 8;

    public static bool HasScales => true;

    public static bool HasLeast => true;

    public static bool HasMinima => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        Q4KForm.Scales(block, scales, minima, out d, out least);
        Q4KForm.Nibbles(block + 48, codes);
        for (int i = 0; i < 32; i++)
        {
            ulong high = *(ulong*)(block + 16 + (8 * (i % 4))) >> (i / 4);
            ((ulong*)codes)[i] |= (high & 0x0101_0101_0101_0101) << 4;
        }
    }
}

/// <summary>Q6_K: (d·s)·(n−32) per 16 values, s signed; n has six bits.</summary>
internal readonly unsafe struct Q6KForm : IIntegerForm
{
    public static DType Type => DType.Q6_K;

    public static bool Four => true;

    public static bool Two => true;

    public static int Blocks => 8;

    public static int Groups => 2;

    public static bool HasScales => true;

    public static bool SignedScales => true;

    public static int ZeroShift => 5;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Split(byte* block, byte* codes, byte* scales, byte* minima, out ushort d, out ushort least)
    {
        (d, least) = (*(ushort*)(block + 208), 0);
        for (int g = 0; g < 16; g++)
        {
            scales[g] = block[192 + g];
        }

        // Eight values at a time; 128 values share 64 bytes of low bits and 32 bytes of high bits.
        for (int i = 0; i < 32; i++)
        {
            int plane = i % 16 / 4;
            ulong low = *(ulong*)(block + (64 * (i / 16)) + (32 * (plane & 1)) + (8 * (i % 4))) >> (plane < 2 ? 0 : 4);
            ulong high = *(ulong*)(block + 128 + (32 * (i / 16)) + (8 * (i % 4))) >> (2 * plane);
            ((ulong*)codes)[i] = (low & 0x0F0F_0F0F_0F0F_0F0F) | ((high & 0x0303_0303_0303_0303) << 4);
        }
    }
}
