using System.Reflection;
using Puna.Cli.Hosting;
using Puna.Tensors;

namespace Puna.Cli.Tests.Hosting;

public class FailureTests
{
    [Fact]
    public void MapsExceptionsToExitCodes()
    {
        Assert.Equal(new Failure(2, "file x: not found"), Failure.Of(new PunaException("file x: not found")));
        Assert.Equal(2, Failure.Of(new FileFormatException("x", "magic: expected GGUF", 0)).ExitCode);
        Assert.Equal(new Failure(130, "interrupted"), Failure.Of(new TaskCanceledException()));
        Assert.Equal(new Failure(1, "No space left on device"), Failure.Of(new IOException("No space left on device")));
        Assert.Equal(1, Failure.Of(new UnauthorizedAccessException()).ExitCode);
        Assert.Equal(new Failure(1, "out of memory"), Failure.Of(new InsufficientMemoryException()));
        Assert.Equal(new Failure(0, null), Failure.Of(new OutputClosedException()));
    }

    [Fact]
    public void LooksInside()
    {
        var bad = new PunaException("bad");
        Assert.Equal(2, Failure.Of(new AggregateException(bad)).ExitCode);
        Assert.Equal(2, Failure.Of(new TypeInitializationException("T", bad)).ExitCode);
        Assert.Equal(2, Failure.Of(new TargetInvocationException(bad)).ExitCode);
    }

    [Fact]
    public void UnexpectedExceptionsAreOneLine()
    {
        Failure failure = Failure.Of(new InvalidOperationException("first\nsecond\u001b[31m"));
        Assert.Equal(1, failure.ExitCode);
        Assert.Equal("unexpected error: InvalidOperationException: first second [31m (PUNA_DEBUG=1 shows where)", failure.Message);
    }
}
