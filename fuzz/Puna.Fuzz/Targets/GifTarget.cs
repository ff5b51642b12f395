namespace Puna.Fuzz.Targets;

/// <summary>A GIF.</summary>
public sealed class GifTarget : IFuzzTarget
{
    /// <inheritdoc/>
    public string Name => "image-gif";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } = ImageCorpus.Pictures("gif");

    /// <inheritdoc/>
    public void Run(byte[] input) => ImageCorpus.Run(input);

    /// <summary>A file whose blocks fit together, with small sizes, a table or none, and codes that are mostly ones that may come next.</summary>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        int bits = 1 + random.Below(8);
        int tableBits = random.Below(8);
        bool hasTable = !random.OneIn(4);
        var bytes = new List<byte>();
        bytes.AddRange(random.OneIn(2) ? "GIF87a"u8 : "GIF89a"u8);
        Short(random, bytes, 24);
        Short(random, bytes, 24);
        bytes.AddRange([(byte)((hasTable ? 0x80 : 0) | tableBits), (byte)random.Next(), 0]);
        bytes.AddRange(hasTable ? random.Bytes(6 << tableBits) : []);
        for (int frames = random.Changes(3); frames > 0; frames--)
        {
            if (random.OneIn(2))
            {
                bytes.AddRange([0x21, 0xF9, 4, (byte)random.Below(32), 1, 0, (byte)random.Below(8), 0]);
            }

            bool isLocal = random.OneIn(4);
            bytes.Add(0x2C);
            Short(random, bytes, 4);
            Short(random, bytes, 4);
            Short(random, bytes, 20);
            Short(random, bytes, 20);
            bytes.Add((byte)((isLocal ? 0x80 : 0) | (random.OneIn(3) ? 0x40 : 0) | tableBits));
            bytes.AddRange(isLocal ? random.Bytes(6 << tableBits) : []);
            bytes.Add((byte)bits);
            byte[] codes = Codes(random, bits);
            for (int at = 0; at < codes.Length; at += 255)
            {
                byte[] block = codes[at..Math.Min(codes.Length, at + 255)];
                bytes.Add((byte)block.Length);
                bytes.AddRange(block);
            }

            bytes.Add(0);
        }

        bytes.Add(0x3B);
        return [.. bytes];
    }

    private static byte[] Codes(FuzzRandom random, int bits)
    {
        var bytes = new List<byte>();
        int clear = 1 << bits, width = bits + 1, next = clear + 2;
        bool isFirst = true;
        (ulong held, int count) = (0, 0);
        for (int codes = random.Pick(4, 100, 700, 6000); codes > 0; codes--)
        {
            int code = random.Below(200) switch
            {
                0 => clear,
                1 => random.Below(1 << width),
                < 80 => random.Below(clear),
                _ => isFirst ? random.Below(clear) : random.OneIn(3) || next <= clear + 2 ? Math.Min(next, 4095) : clear + 2 + random.Below(next - clear - 2),
            };
            (held, count) = (held | ((ulong)code << count), count + width);
            for (; count >= 8; count -= 8, held >>= 8)
            {
                bytes.Add((byte)held);
            }

            if (code == clear)
            {
                (width, next, isFirst) = (bits + 1, clear + 2, true);
            }
            else if (isFirst)
            {
                isFirst = false;
            }
            else if (next < 4096 && ++next == 1 << width && width < 12)
            {
                width++;
            }
        }

        bytes.Add((byte)held);
        return [.. bytes];
    }

    private static void Short(FuzzRandom random, List<byte> bytes, int limit)
    {
        int value = random.OneIn(40) ? (int)(random.Interesting() & 0xFFFF) : random.Below(limit);
        bytes.AddRange([(byte)value, (byte)(value >> 8)]);
    }
}
