using Puna.Cli.Hosting;

namespace Puna.Cli.Tests.Commands;

/// <summary>Presses Ctrl-C when a command has shown a part of its output.</summary>
internal sealed class InterruptingWriter(Stream stream, Interrupts interrupts, int flushes) : StreamWriter(stream)
{
    private int _left = flushes;

    public override void Flush()
    {
        base.Flush();
        if (--_left == 0)
        {
            interrupts.Interrupt();
        }
    }
}
