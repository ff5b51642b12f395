using System.IO.Compression;
using Puna.Tensors;

namespace Puna.Text.Training;

/// <summary>
/// Reads a gzip file of one or more members to its end, and says so where the end is missing: .NET's reader takes a file that was cut short for a whole one. A last member of known content is put behind
/// the file; only a reader that got past everything before it delivers that.
/// </summary>
public sealed class CheckedGzipStream : Stream
{
    private static readonly byte[] _mark = [0x91, 0x4C, 0x03, 0xE8, 0x5B, 0x00, 0xD7, 0x2A, 0xFE, 0x66, 0x18, 0xB3, 0x7D, 0xC0, 0x35, 0x89];

    private readonly string _path;
    private readonly Stream _file;
    private readonly GZipStream _gzip;
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>Reads a file.</summary>
    /// <param name="file">Its bytes; disposed with this.</param>
    /// <param name="path">What to call it in messages.</param>
    public CheckedGzipStream(Stream file, string path)
    {
        _path = path;
        _file = file;
        _gzip = new GZipStream(new FollowedStream(file, Member()), CompressionMode.Decompress);
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        // The last bytes are held back: they may be the mark.
        while (_end - _start <= _mark.Length && !_ended)
        {
            Fill();
        }

        int count = Math.Min(buffer.Length, _end - _start - (_ended ? 0 : _mark.Length));
        _buffer.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _gzip.Dispose();
            _file.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        int read;
        try
        {
            read = _gzip.Read(_buffer, _end, _buffer.Length - _end);
        }
        catch (InvalidDataException e)
        {
            throw new FileFormatException(_path, $"gzip: expected compressed data, got damaged or incomplete data: {e.Message}", inner: e);
        }

        _end += read;
        if (read > 0)
        {
            return;
        }

        if (_end < _mark.Length || !_buffer.AsSpan(_end - _mark.Length, _mark.Length).SequenceEqual(_mark))
        {
            throw new FileFormatException(_path, "gzip: expected a complete file and nothing behind it, got one that was cut short or has other bytes at its end");
        }

        _end -= _mark.Length;
        _ended = true;
    }

    private static byte[] Member()
    {
        using var member = new MemoryStream();
        using (var gzip = new GZipStream(member, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(_mark);
        }

        return member.ToArray();
    }

    /// <summary>A stream, then some bytes.</summary>
    private sealed class FollowedStream(Stream first, byte[] then) : Stream
    {
        private int _given;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            int read = first.Read(buffer);
            if (read > 0 || buffer.IsEmpty)
            {
                return read;
            }

            int count = Math.Min(buffer.Length, then.Length - _given);
            then.AsSpan(_given, count).CopyTo(buffer);
            _given += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
