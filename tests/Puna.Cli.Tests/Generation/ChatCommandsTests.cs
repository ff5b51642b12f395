using Puna.Cli.Generation;

namespace Puna.Cli.Tests.Generation;

public class ChatCommandsTests
{
    [Theory]
    [InlineData("hello", false, "", "hello")]
    [InlineData("", false, "", "")]
    [InlineData(" /exit", false, "", " /exit")]
    [InlineData("//etc is a folder", false, "", "/etc is a folder")]
    [InlineData("/exit", true, "/exit", "")]
    [InlineData("/system  Be brief. ", true, "/system", "Be brief.")]
    [InlineData("/", true, "/", "")]
    public void TellsCommandsFromMessages(string line, bool isCommand, string command, string rest)
    {
        Assert.Equal(isCommand, ChatCommands.TryRead(line, out string gotCommand, out string gotRest));
        Assert.Equal((command, rest), (gotCommand, gotRest));
    }
}
