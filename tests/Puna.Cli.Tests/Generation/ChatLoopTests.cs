using System.Text;
using Puna.Cli.Hosting;
using Puna.Cli.Tests.Commands;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Generation;

/// <summary>What happens in a chat when somebody sits in front of it.</summary>
public sealed class ChatLoopTests
{
    [Fact]
    public void CtrlCStopsTheReplyOnly()
    {
        using var bytes = new MemoryStream();
        using var interrupts = new Interrupts(_ => throw new InvalidOperationException("exit"));
        using var output = new InterruptingWriter(bytes, interrupts, flushes: 3);
        using var error = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(output, error, new StringReader("Once upon a time\n/reset\nThe storm\n"));
        int code = new CliHost(terminal, interrupts).Run(["chat", "--model", TestFiles.TrainedTiny, "--temperature", "0"]);
        string[] replies = Encoding.UTF8.GetString(bytes.ToArray()).Split('\n');
        Assert.Equal(0, code);
        Assert.Equal(", there was", replies[0]);
        Assert.EndsWith(".", replies[1], StringComparison.Ordinal);
    }

    [Fact]
    public void MistakesOfOneWhoTypesDoNotEndTheChat()
    {
        using var bytes = new MemoryStream();
        using var output = new StreamWriter(bytes);
        using var error = new StringWriter { NewLine = "\n" };
        using var interrupts = new Interrupts();
        var terminal = new Terminal(output, error, new StringReader($"/nope\n{new string('x', 5000)}\nOnce upon a time\n"), isTerminal: true);
        int code = new CliHost(terminal, interrupts).Run(["chat", "--model", TestFiles.TrainedTiny, "--temperature", "0", "--max-tokens", "4"]);
        Assert.Equal(0, code);
        Assert.Equal("> > > , there was a\n> \n", Encoding.UTF8.GetString(bytes.ToArray()).ReplaceLineEndings("\n"));
        Assert.Equal(3, error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }
}
