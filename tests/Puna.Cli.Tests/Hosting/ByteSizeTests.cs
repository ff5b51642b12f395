using Puna.Cli.Hosting;

namespace Puna.Cli.Tests.Hosting;

public class ByteSizeTests
{
    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(999, "999 bytes")]
    [InlineData(1000, "1.00 kB")]
    [InlineData(9995, "10.0 kB")]
    [InlineData(3654880, "3.65 MB")]
    [InlineData(99949999, "99.9 MB")]
    [InlineData(99950001, "100 MB")]
    [InlineData(999600000, "1.00 GB")]
    [InlineData(long.MaxValue, "9223 PB")]
    public void GivesThreeDigits(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
