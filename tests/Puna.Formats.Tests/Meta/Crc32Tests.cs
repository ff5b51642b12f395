using System.Text;
using Puna.Formats.Meta;

namespace Puna.Formats.Tests.Meta;

public class Crc32Tests
{
    /// <summary>Check values published with the algorithm (CRC-32/ISO-HDLC).</summary>
    [Theory]
    [InlineData("", 0x00000000u)]
    [InlineData("123456789", 0xCBF43926u)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x414FA339u)]
    public void HasThePublishedValues(string text, uint expected) => Assert.Equal(expected, Crc32.Append(0, Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void PiecesOfAnySizeGiveTheSameAsBitByBit()
    {
        var random = new Random(1);
        var bytes = new byte[1000];
        random.NextBytes(bytes);
        uint crc = 0;
        for (int at = 0; at < bytes.Length;)
        {
            int count = Math.Min(random.Next(0, 30), bytes.Length - at);
            crc = Crc32.Append(crc, bytes.AsSpan(at, count));
            at += count;
        }

        uint expected = uint.MaxValue;
        foreach (byte b in bytes)
        {
            expected ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                expected = (expected & 1) != 0 ? (expected >> 1) ^ 0xEDB88320 : expected >> 1;
            }
        }

        Assert.Equal(~expected, crc);
    }
}
