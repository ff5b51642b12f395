using System.Buffers.Binary;

namespace Puna.Fuzz.Targets;

/// <summary>A JPEG: the managed walk over its markers, then libturbojpeg.</summary>
public sealed class JpegTarget : IFuzzTarget
{
    /// <inheritdoc/>
    public string Name => "image-jpeg";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } = ImageCorpus.Pictures("jpg");

    /// <inheritdoc/>
    public void Run(byte[] input) => ImageCorpus.Run(input);

    /// <summary>Changes what is in segments and in the scans' data; lengths stay right and no byte of the data becomes a marker.</summary>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        List<byte[]> parts = Parts(input);
        for (int changes = random.Changes(4); changes > 0; changes--)
        {
            int i = random.Below(parts.Count);
            byte[] part = [.. parts[i]];
            bool isSegment = part.Length > 4 && part[0] == 0xFF;
            int from = isSegment ? 4 : 0;
            switch (random.Below(10))
            {
                case 0:
                    parts.RemoveAt(i);
                    break;
                case 1:
                    parts.Insert(random.Below(parts.Count + 1), part);
                    break;
                case 2 when isSegment:
                    part[1] = random.Pick<byte>(0xC0, 0xC1, 0xC2, 0xC4, 0xC9, 0xCA, 0xCC, 0xDA, 0xDB, 0xDD, 0xDC, 0xEE, 0xE0);
                    parts[i] = part;
                    break;
                case 3 when isSegment:
                    byte[] longer = [.. part, .. random.Bytes(random.Below(20))];
                    BinaryPrimitives.WriteUInt16BigEndian(longer.AsSpan(2), (ushort)(longer.Length - 2));
                    parts[i] = longer;
                    break;
                case 4 or 5 when !isSegment && part.Length > 2:
                    parts[i] = part[..random.Below(part.Length)];
                    break;
                default:
                    if (part.Length > from)
                    {
                        int at = from + random.Below(part.Length - from);
                        part[at] = random.OneIn(2) ? (byte)(part[at] ^ (1 << random.Below(8))) : (byte)random.Interesting(part[at]);
                        part[at] = !isSegment && part[at] == 0xFF ? (byte)0xFE : part[at];
                        parts[i] = part;
                    }

                    break;
            }

            if (parts.Count == 0)
            {
                break;
            }
        }

        return [0xFF, 0xD8, .. parts.SelectMany(p => p), 0xFF, 0xD9];
    }

    /// <summary>Segments, and what is between them; without the two markers that begin and end the picture.</summary>
    private static List<byte[]> Parts(byte[] input)
    {
        var parts = new List<byte[]>();
        int at = 2;
        while (at < input.Length - 2)
        {
            int end = at;
            if (input[at] == 0xFF && input[at + 1] is not (0 or (>= 0xD0 and <= 0xD7)))
            {
                end = at + 2 + BinaryPrimitives.ReadUInt16BigEndian(input.AsSpan(at + 2));
            }
            else
            {
                do
                {
                    end++;
                }
                while (end < input.Length - 2 && !(input[end] == 0xFF && input[end + 1] is not (0 or (>= 0xD0 and <= 0xD7))));
            }

            parts.Add(input[at..end]);
            at = end;
        }

        return parts;
    }
}
