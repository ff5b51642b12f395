using System.Text;
using Puna.Formats.Packed;
using Puna.Tensors;

namespace Puna.Formats.Tests.Packed;

public sealed class LaneChecksumTests
{
    [Fact]
    public void TheOracleIsCrc32C() => Assert.Equal(0xE3069283, ~Crc(uint.MaxValue, Encoding.ASCII.GetBytes("123456789"))); // the check value of CRC-32C, RFC 3720

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(64)]
    [InlineData(100)]
    [InlineData(4096)]
    public void LanesAreCrc32COfEveryFourthWord(int length)
    {
        byte[] bytes = Random(length);
        byte[] filled = new byte[(length + 31) / 32 * 32];
        bytes.CopyTo(filled, 0);
        UInt128 expected = 0;
        for (int lane = 0; lane < 4; lane++)
        {
            byte[] words = [.. filled.Chunk(8).Where((_, i) => i % 4 == lane).SelectMany(static word => word), .. BitConverter.GetBytes((long)length)];
            expected |= (UInt128)Crc(uint.MaxValue, words) << (32 * lane);
        }

        Assert.Equal(expected, LaneChecksum.Of(bytes));
    }

    [Fact]
    public void EveryBitAndEveryByteMoreCounts()
    {
        byte[] bytes = Random(203);
        var seen = new HashSet<UInt128> { LaneChecksum.Of(bytes) };
        for (int bit = 0; bit < 8 * bytes.Length; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(seen.Add(LaneChecksum.Of(bytes)), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int more = 1; more < 70; more++)
        {
            Assert.True(seen.Add(LaneChecksum.Of([.. bytes, .. new byte[more]])), $"{more} zeros more");
        }
    }

    [Fact]
    public void ThreadsChangeNothingAndPiecesArePartOfIt()
    {
        // Three pieces of a megabyte and a bit, at an offset, and nothing at all.
        byte[] bytes = Random((3 << 20) + 77);
        using NativeStorage storage = ScratchFolder.Storage([1, 2, 3, .. bytes]);
        (Storage, nint, nint)[] ranges = [(storage, 3, bytes.Length), (storage, 0, 0), (storage, 3, 5)];
        UInt128[] one = PackedChecksums.Compute(ranges, 1, TestContext.Current.CancellationToken);
        Assert.Equal(one, PackedChecksums.Compute(ranges, 3, TestContext.Current.CancellationToken));
        byte[] parts = [.. bytes.Chunk(1 << 20).SelectMany(static piece => Bytes(LaneChecksum.Of(piece)))];
        Assert.Equal([LaneChecksum.Of(parts), LaneChecksum.Of([]), LaneChecksum.Of(Bytes(LaneChecksum.Of(bytes.AsSpan(0, 5))))], one);
    }

    private static byte[] Bytes(UInt128 sum) => [.. BitConverter.GetBytes((ulong)sum), .. BitConverter.GetBytes((ulong)(sum >> 64))];

    private static byte[] Random(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    // Bit by bit, as the polynomial has it.
    private static uint Crc(uint crc, byte[] bytes)
    {
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
            }
        }

        return crc;
    }
}
