namespace Puna.Cli.Tests.Commands;

/// <summary>What <c>puna serve</c> refuses before it opens a model.</summary>
public sealed class ServeCommandTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("")]
    [InlineData("\n \r\n\t\n")]
    public void AFileOfKeysWithoutAKeyServesNobody(string text)
    {
        File.WriteAllText(_file, text);
        CliRun run = CliRun.Of("serve", "--port", "0", "--api-key-file", _file, "--model", Path.Combine(Path.GetTempPath(), "no-such-model"));
        run.AssertRefused($"option --api-key-file: expected a key in {_file}, got none");
    }
}
