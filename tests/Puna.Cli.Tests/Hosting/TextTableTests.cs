using Puna.Cli.Hosting;

namespace Puna.Cli.Tests.Hosting;

public class TextTableTests
{
    [Fact]
    public void AlignsColumnsAndNeutralisesControlCharacters()
    {
        using var output = new StringWriter();
        var table = new TextTable(rightAligned: 1);
        table.Add("a", "1", "x");
        table.Add("long\u001b[31m\nname", "200", "y");
        table.Write(output, "  ");
        Assert.Equal("  a                 1  x\n  long [31m name  200  y\n", output.ToString());
    }
}
