using System.Buffers.Binary;
using System.IO.Compression;
using Puna.Formats.Meta;

namespace Puna.Fuzz.Targets;

/// <summary>A PNG.</summary>
public sealed class PngTarget : IFuzzTarget
{
    private const int MagicBytes = 8;

    /// <inheritdoc/>
    public string Name => "image-png";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } = ImageCorpus.Pictures("png");

    /// <inheritdoc/>
    public void Run(byte[] input) => ImageCorpus.Run(input);

    /// <summary>Changes chunks and the data under the compression; checksums stay right.</summary>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        List<(byte[] Type, byte[] Data)> chunks = Chunks(input);
        for (int changes = random.Changes(3); changes > 0; changes--)
        {
            int i = random.Below(chunks.Count);
            (byte[] type, byte[] data) = chunks[i];
            switch (random.Below(8))
            {
                case 0 or 1:
                    byte[] header = chunks[0].Data;
                    (int at, int width) = random.Pick((0, 4), (4, 4), (8, 1), (9, 1), (12, 1));
                    random.Write(header.AsSpan(at, width), random.OneIn(2) ? (ulong)random.Below(20) << (width == 4 ? 24 : 0) : random.Interesting());
                    break;
                case 2 or 3:
                    Recompress(random, chunks);
                    break;
                case 4:
                    chunks[i] = (type, ByteMutator.Mutate(random, data, [data, .. chunks.Select(c => c.Data).Where(d => d.Length > 0)]));
                    break;
                case 5:
                    chunks.RemoveAt(i);
                    break;
                case 6:
                    chunks.Insert(random.Below(chunks.Count + 1), chunks[i]);
                    break;
                default:
                    chunks.Insert(i, (random.Pick("tRNS"u8.ToArray(), "PLTE"u8.ToArray(), "IDAT"u8.ToArray(), "IHDR"u8.ToArray(), "acTL"u8.ToArray(), "ZZZZ"u8.ToArray()), random.Bytes(random.Pick(0, 1, 2, 3, 6, 13, 768))));
                    break;
            }

            if (chunks.Count == 0 || chunks[0].Data.Length < 13)
            {
                break;
            }
        }

        return [.. input.AsSpan(0, MagicBytes), .. chunks.SelectMany(c => Chunk(c.Type, c.Data))];
    }

    private static void Recompress(FuzzRandom random, List<(byte[] Type, byte[] Data)> chunks)
    {
        byte[] packed = [.. chunks.Where(c => c.Type.AsSpan().SequenceEqual("IDAT"u8)).SelectMany(c => c.Data)];
        var raw = new MemoryStream();
        try
        {
            using var zlib = new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress);
            zlib.CopyTo(raw);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return; // an earlier change
        }

        var stream = new MemoryStream();
        using (var zlib = new ZLibStream(stream, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(raw.Length == 0 ? [] : ByteMutator.Mutate(random, raw.ToArray(), [raw.ToArray()]));
        }

        int first = chunks.FindIndex(c => c.Type.AsSpan().SequenceEqual("IDAT"u8));
        chunks.RemoveAll(c => c.Type.AsSpan().SequenceEqual("IDAT"u8));
        chunks.Insert(Math.Max(first, 0), ("IDAT"u8.ToArray(), stream.ToArray()));
    }

    private static List<(byte[] Type, byte[] Data)> Chunks(byte[] input)
    {
        var chunks = new List<(byte[] Type, byte[] Data)>();
        for (int at = MagicBytes; at < input.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(input.AsSpan(at));
            chunks.Add((input[(at + 4)..(at + 8)], input[(at + 8)..(at + 8 + length)]));
            at += length + 12;
        }

        return chunks;
    }

    private static byte[] Chunk(byte[] type, byte[] data)
    {
        byte[] chunk = [0, 0, 0, 0, .. type, .. data, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32.Append(0, chunk.AsSpan(4, data.Length + 4)));
        return chunk;
    }
}
