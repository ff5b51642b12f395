using System.Buffers.Binary;

namespace Puna.Tensors.Quantization.Encoding;

/// <summary>Q4_0: the value of largest magnitude becomes −8·d, so that d carries its sign and the one-sided range −8..7 is used to its end.</summary>
internal readonly struct Q4_0Encoder : IBlockEncoder
{
    public static int Values => 32;

    public static int Bytes => 18;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        float d = Extremes.Signed(values) / -8;
        float inverse = Rounding.Inverse(d);
        Span<byte> q = block.Slice(2, 16);
        for (int j = 0; j < 16; j++)
        {
            int low = Math.Min(15, (int)((values[j] * inverse) + 8.5f));
            int high = Math.Min(15, (int)((values[j + 16] * inverse) + 8.5f));
            q[j] = (byte)(low | (high << 4));
        }

        return Rounding.WriteHalf(block, d);
    }
}

/// <summary>Q4_1: the smallest value is m, the largest m + 15·d.</summary>
internal readonly struct Q4_1Encoder : IBlockEncoder
{
    public static int Values => 32;

    public static int Bytes => 20;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        (float least, float most) = Extremes.Range(values);
        float d = (most - least) / 15;
        float inverse = Rounding.Inverse(d);
        Span<byte> q = block.Slice(4, 16);
        for (int j = 0; j < 16; j++)
        {
            int low = Math.Min(15, (int)(((values[j] - least) * inverse) + 0.5f));
            int high = Math.Min(15, (int)(((values[j + 16] - least) * inverse) + 0.5f));
            q[j] = (byte)(low | (high << 4));
        }

        return Rounding.WriteHalf(block, d) & Rounding.WriteHalf(block[2..], least);
    }
}

/// <summary>Q5_0: as Q4_0 with −16·d.</summary>
internal readonly struct Q5_0Encoder : IBlockEncoder
{
    public static int Values => 32;

    public static int Bytes => 22;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        float d = Extremes.Signed(values) / -16;
        float inverse = Rounding.Inverse(d);
        Span<byte> q = block.Slice(6, 16);
        uint fifth = 0;
        for (int j = 0; j < 16; j++)
        {
            int low = Math.Min(31, (int)((values[j] * inverse) + 16.5f));
            int high = Math.Min(31, (int)((values[j + 16] * inverse) + 16.5f));
            q[j] = (byte)((low & 15) | (high << 4));
            fifth |= ((uint)low >> 4 << j) | ((uint)high >> 4 << (j + 16));
        }

        BinaryPrimitives.WriteUInt32LittleEndian(block[2..], fifth);
        return Rounding.WriteHalf(block, d);
    }
}

/// <summary>Q5_1: as Q4_1 with 31 steps.</summary>
internal readonly struct Q5_1Encoder : IBlockEncoder
{
    public static int Values => 32;

    public static int Bytes => 24;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        (float least, float most) = Extremes.Range(values);
        float d = (most - least) / 31;
        float inverse = Rounding.Inverse(d);
        Span<byte> q = block.Slice(8, 16);
        uint fifth = 0;
        for (int j = 0; j < 16; j++)
        {
            int low = Math.Min(31, (int)(((values[j] - least) * inverse) + 0.5f));
            int high = Math.Min(31, (int)(((values[j + 16] - least) * inverse) + 0.5f));
            q[j] = (byte)((low & 15) | (high << 4));
            fifth |= ((uint)low >> 4 << j) | ((uint)high >> 4 << (j + 16));
        }

        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], fifth);
        return Rounding.WriteHalf(block, d) & Rounding.WriteHalf(block[2..], least);
    }
}

/// <summary>Q8_0: the largest magnitude becomes ±127; ties round away from zero.</summary>
internal readonly struct Q8_0Encoder : IBlockEncoder
{
    public static int Values => 32;

    public static int Bytes => 34;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        float d = MathF.Abs(Extremes.Signed(values)) / 127;
        float inverse = Rounding.Inverse(d);
        Span<byte> q = block.Slice(2, 32);
        for (int j = 0; j < 32; j++)
        {
            q[j] = (byte)Rounding.NearestAwayFromZero(values[j] * inverse);
        }

        return Rounding.WriteHalf(block, d);
    }
}
