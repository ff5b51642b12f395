using Puna.Tensors;
using Puna.Tensors.Quantization;

namespace Puna.Bench.Quantization;

/// <summary>Blocks as a real weight has them: normal scales, since denormal ones and NaN would take the rare paths.</summary>
internal static class RandomBlocks
{
    /// <summary>Fills <paramref name="bytes"/> with blocks of <paramref name="type"/>.</summary>
    public static void Fill(DType type, Span<byte> bytes, int seed)
    {
        var random = new Random(seed);
        if (Quantizer.Supports(type))
        {
            var values = new float[bytes.Length / type.BlockBytes() * type.BlockSize()];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)((random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 0.04);
            }

            Quantizer.Quantize(type, values, bytes);
            return;
        }

        // Every 16-bit word a half between 2^-15 and 2: fields that are no scales do not mind.
        random.NextBytes(bytes);
        for (int i = 1; i < bytes.Length; i += 2)
        {
            bytes[i] = (byte)((bytes[i] & 0x83) | 0x20);
        }
    }
}
