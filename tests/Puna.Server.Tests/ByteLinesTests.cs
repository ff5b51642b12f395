using System.Text;
using Puna.Server.Batches;

namespace Puna.Server.Tests;

public sealed class ByteLinesTests
{
    /// <summary>Against a text split at its line feeds, read in pieces of every size.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a\n")]
    [InlineData("a\r\nb\n\nccccccc\nd")]
    [InlineData("\n\n")]
    [InlineData("\uFEFFa\nb\uFEFF\n")]
    public void ReadsWhatSplittingGives(string text)
    {
        for (int piece = 1; piece < 8; piece++)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            var lines = new ByteLines(new Pieces(bytes, piece), 100);
            string[] expected = text.TrimStart('\uFEFF').Split('\n');
            expected = expected[^1].Length == 0 ? expected[..^1] : expected;
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.True(lines.Read(out ReadOnlyMemory<byte> line));
                Assert.Equal(expected[i].TrimEnd('\r'), Encoding.UTF8.GetString(line.Span));
                Assert.Equal(i + 1, lines.Number);
                Assert.Equal(i < expected.Length - 1 || text.EndsWith('\n'), lines.IsEnded);
            }

            Assert.Equal(bytes.Length, lines.Position);
            Assert.False(lines.Read(out _));
        }
    }

    [Fact]
    public void PassesOverLinesThatAreTooLong()
    {
        string text = "12345\n123456\n1\n" + new string('x', 300_000) + "\n2\n" + new string('y', 300_000);
        var lines = new ByteLines(new Pieces(Encoding.UTF8.GetBytes(text), 70_000), 5);
        var found = new List<(string, bool, long)>();
        while (lines.Read(out ReadOnlyMemory<byte> line))
        {
            found.Add((Encoding.UTF8.GetString(line.Span), lines.IsTooLong, lines.Number));
        }

        Assert.Equal([("12345", false, 1), ("", true, 2), ("1", false, 3), ("", true, 4), ("2", false, 5), ("", true, 6)], found);
        Assert.Equal(text.Length, lines.Position);
    }

    private sealed class Pieces(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, piece));
    }
}
