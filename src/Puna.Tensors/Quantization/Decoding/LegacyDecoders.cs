using System.Buffers.Binary;

namespace Puna.Tensors.Quantization.Decoding;

/// <summary>Q4_0: d, q[16]; d·(n−8). Low nibbles are values 0 to 15, high nibbles 16 to 31.</summary>
internal readonly struct Q4_0Decoder : IBlockDecoder
{
    public static int Values => 32;

    public static int Bytes => 18;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        ReadOnlySpan<byte> q = block.Slice(2, 16);
        for (int j = 0; j < 16; j++)
        {
            values[j] = d * ((q[j] & 15) - 8);
            values[j + 16] = d * ((q[j] >> 4) - 8);
        }
    }
}

/// <summary>Q4_1: d, m, q[16]; d·n + m.</summary>
internal readonly struct Q4_1Decoder : IBlockDecoder
{
    public static int Values => 32;

    public static int Bytes => 20;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        float m = FloatBits.ReadHalf(block[2..]);
        ReadOnlySpan<byte> q = block.Slice(4, 16);
        for (int j = 0; j < 16; j++)
        {
            values[j] = (d * (q[j] & 15)) + m;
            values[j + 16] = (d * (q[j] >> 4)) + m;
        }
    }
}

/// <summary>Q5_0: d, h (bit v is bit 4 of value v), q[16]; d·(n−16).</summary>
internal readonly struct Q5_0Decoder : IBlockDecoder
{
    public static int Values => 32;

    public static int Bytes => 22;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        uint h = BinaryPrimitives.ReadUInt32LittleEndian(block[2..]);
        ReadOnlySpan<byte> q = block.Slice(6, 16);
        for (int j = 0; j < 16; j++)
        {
            int low = (q[j] & 15) | (int)(((h >> j) & 1) << 4);
            int high = (q[j] >> 4) | (int)(((h >> (j + 16)) & 1) << 4);
            values[j] = d * (low - 16);
            values[j + 16] = d * (high - 16);
        }
    }
}

/// <summary>Q5_1: d, m, h, q[16]; d·n + m with n as in Q5_0.</summary>
internal readonly struct Q5_1Decoder : IBlockDecoder
{
    public static int Values => 32;

    public static int Bytes => 24;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        float m = FloatBits.ReadHalf(block[2..]);
        uint h = BinaryPrimitives.ReadUInt32LittleEndian(block[4..]);
        ReadOnlySpan<byte> q = block.Slice(8, 16);
        for (int j = 0; j < 16; j++)
        {
            int low = (q[j] & 15) | (int)(((h >> j) & 1) << 4);
            int high = (q[j] >> 4) | (int)(((h >> (j + 16)) & 1) << 4);
            values[j] = (d * low) + m;
            values[j + 16] = (d * high) + m;
        }
    }
}

/// <summary>Q8_0: d, q signed[32]; d·q.</summary>
internal readonly struct Q8_0Decoder : IBlockDecoder
{
    public static int Values => 32;

    public static int Bytes => 34;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        ReadOnlySpan<byte> q = block.Slice(2, 32);
        for (int j = 0; j < 32; j++)
        {
            values[j] = d * (sbyte)q[j];
        }
    }
}
