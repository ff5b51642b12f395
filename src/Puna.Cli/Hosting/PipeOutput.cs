using Microsoft.Win32.SafeHandles;

namespace Puna.Cli.Hosting;

/// <summary>
/// Standard output as a stream that notices when its reader has gone. The console's own stream ignores a broken pipe, so that a command would go on
/// computing for nobody; a file stream reports it. Files and terminals keep the console's stream: a file stream would not move the position that
/// commands writing to the same file share.
/// </summary>
internal sealed class PipeOutput : Stream
{
    private const int BrokenPipe = 32; // EPIPE on Linux and macOS

    private readonly FileStream _pipe;

    private PipeOutput(FileStream pipe) => _pipe = pipe;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Standard output: watched where it is a pipe of a Unix system, the console's stream elsewhere.</summary>
    public static Stream OpenStandardOutput()
    {
        if (!OperatingSystem.IsWindows() && Console.IsOutputRedirected)
        {
            FileStream? stream = null;
            try
            {
                stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
                if (!stream.CanSeek)
                {
                    return new PipeOutput(stream);
                }
            }
            catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException or NotSupportedException)
            {
                // Closed, or of a kind a file stream does not know.
            }

            stream?.Dispose();
        }

        return Console.OpenStandardOutput();
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            _pipe.Write(buffer);
        }
        catch (IOException e) when (e.HResult == BrokenPipe)
        {
            throw new OutputClosedException();
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
