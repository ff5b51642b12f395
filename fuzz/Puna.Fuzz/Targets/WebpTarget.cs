using System.Buffers.Binary;

namespace Puna.Fuzz.Targets;

/// <summary>A WebP: the managed walk over its chunks, then libwebp.</summary>
public sealed class WebpTarget : IFuzzTarget
{
    private const int FileHeaderBytes = 12;
    private const int ChunkHeaderBytes = 8;
    private const int FrameHeaderBytes = 16;

    /// <inheritdoc/>
    public string Name => "image-webp";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } = ImageCorpus.Pictures("webp");

    /// <inheritdoc/>
    public void Run(byte[] input) => ImageCorpus.Run(input);

    /// <summary>Changes chunks and those inside of frames; lengths stay right.</summary>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        byte[] chunks = Change(random, input[FileHeaderBytes..], depth: 0);
        byte[] file = [.. input.AsSpan(0, FileHeaderBytes), .. chunks];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);
        return file;
    }

    private static byte[] Change(FuzzRandom random, byte[] bytes, int depth)
    {
        var chunks = new List<(byte[] Type, byte[] Data)>();
        for (int at = 0; at + ChunkHeaderBytes <= bytes.Length;)
        {
            int length = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 4)), (uint)(bytes.Length - at - ChunkHeaderBytes)); // an earlier change may have made it too large
            chunks.Add((bytes[at..(at + 4)], bytes[(at + ChunkHeaderBytes)..(at + ChunkHeaderBytes + length)]));
            at += ChunkHeaderBytes + length + (length & 1);
        }

        for (int changes = random.Changes(3); changes > 0 && chunks.Count > 0; changes--)
        {
            int i = random.Below(chunks.Count);
            (byte[] type, byte[] data) = chunks[i];
            switch (random.Below(8))
            {
                case 0:
                    chunks.RemoveAt(i);
                    break;
                case 1:
                    chunks.Insert(random.Below(chunks.Count + 1), chunks[i]);
                    break;
                case 2:
                    chunks[i] = (random.Pick("VP8 "u8.ToArray(), "VP8L"u8.ToArray(), "ALPH"u8.ToArray(), "VP8X"u8.ToArray(), "ANMF"u8.ToArray(), "ANIM"u8.ToArray()), data);
                    break;
                case 3 or 4 when type.AsSpan().SequenceEqual("ANMF"u8) && depth == 0 && data.Length > FrameHeaderBytes:
                    chunks[i] = (type, [.. data.AsSpan(0, FrameHeaderBytes), .. Change(random, data[FrameHeaderBytes..], depth + 1)]);
                    break;
                default:
                    byte[] changed = [.. data];
                    if (changed.Length > 0)
                    {
                        int at = random.Below(random.OneIn(2) ? Math.Min(changed.Length, 20) : changed.Length);
                        changed[at] = random.OneIn(2) ? (byte)(changed[at] ^ (1 << random.Below(8))) : (byte)random.Next();
                    }

                    chunks[i] = (type, random.OneIn(8) ? changed[..random.Below(changed.Length + 1)] : changed);
                    break;
            }
        }

        var result = new List<byte>();
        foreach ((byte[] type, byte[] data) in chunks)
        {
            result.AddRange(type);
            result.AddRange(BitConverter.GetBytes(data.Length));
            result.AddRange(data);
            result.AddRange(new byte[data.Length & 1]);
        }

        return [.. result];
    }
}
