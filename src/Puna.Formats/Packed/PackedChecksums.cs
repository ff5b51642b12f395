using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Formats.Packed;

/// <summary>
/// Checksums of large ranges, computed by several threads: the <see cref="LaneChecksum"/> of the <see cref="LaneChecksum"/>s of a range's pieces of a megabyte. Reads every
/// byte, so that the pages of a mapped file are in memory afterwards.
/// </summary>
public static class PackedChecksums
{
    private const int Piece = 1 << 20;

    /// <summary>One checksum for each range.</summary>
    /// <param name="ranges">Where the bytes are.</param>
    /// <param name="threads">Threads that compute.</param>
    /// <param name="cancel">Stops it.</param>
    public static UInt128[] Compute(IReadOnlyList<(Storage Storage, nint Offset, nint Length)> ranges, int threads, CancellationToken cancel = default)
    {
        var pieces = new List<(int Range, nint At)>();
        var first = new int[ranges.Count + 1];
        for (int r = 0; r < ranges.Count; r++)
        {
            for (nint at = 0; at < ranges[r].Length; at += Piece)
            {
                pieces.Add((r, at));
            }

            first[r + 1] = pieces.Count;
        }

        var parts = new byte[pieces.Count * LaneChecksum.Bytes];
        Parallel.For(0, pieces.Count, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancel }, i =>
        {
            (Storage storage, nint offset, nint length) = ranges[pieces[i].Range];
            nint at = pieces[i].At;
            UInt128 sum = LaneChecksum.Of(storage.Span<byte>(offset + at, (int)Math.Min(Piece, length - at)));
            BinaryPrimitives.WriteUInt128LittleEndian(parts.AsSpan(i * LaneChecksum.Bytes), sum);
        });

        var sums = new UInt128[ranges.Count];
        for (int r = 0; r < sums.Length; r++)
        {
            sums[r] = LaneChecksum.Of(parts.AsSpan(first[r] * LaneChecksum.Bytes, (first[r + 1] - first[r]) * LaneChecksum.Bytes));
        }

        return sums;
    }
}
