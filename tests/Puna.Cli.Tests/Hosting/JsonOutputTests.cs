using Puna.Cli.Hosting;

namespace Puna.Cli.Tests.Hosting;

public class JsonOutputTests
{
    [Fact]
    public void WritesOneLineOrNothing()
    {
        using var output = new StringWriter();
        using (var line = new JsonOutput(output))
        {
            line.Writer.WriteStartObject();
            line.Writer.WriteString("text", "é\n\"<b>\ud800");
            line.Writer.WriteEndObject();
        }

        Assert.Equal("{\"text\":\"é\\n\\\"<b>\\uFFFD\"}\n", output.ToString());
        Assert.Throws<InvalidOperationException>(() => WriteHalf(output));
        using (new JsonOutput(output))
        {
        }

        Assert.Single(output.ToString(), '\n');
    }

    private static void WriteHalf(TextWriter output)
    {
        using var line = new JsonOutput(output);
        line.Writer.WriteStartObject();
        throw new InvalidOperationException("half-way");
    }
}
