using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>Lines of a stream as bytes, without their ends, in a buffer of bounded size.</summary>
internal sealed class LineReader(Stream stream, string path, int longest)
{
    private byte[] _buffer = new byte[Math.Min(1 << 16, longest + 2)];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>Number of the line given last, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>The next line; false at the end. The bytes are valid until the next call.</summary>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            int length = found >= 0 ? searched + found : _end - _start;
            if (length > longest + 1)
            {
                throw new PunaException($"line {Line + 1} of {path}: expected at most {longest} bytes, got more (longest_document_bytes raises that)");
            }

            if (found >= 0 || (_ended && length > 0))
            {
                line = _buffer.AsSpan(_start, length);
                _start += length + (found >= 0 ? 1 : 0);
                if (Line++ == 0 && line.StartsWith("\uFEFF"u8))
                {
                    line = line[3..];
                }

                line = line.EndsWith("\r"u8) ? line[..^1] : line;
                return line.Length <= longest ? true
                    : throw new PunaException($"line {Line} of {path}: expected at most {longest} bytes, got {line.Length} (longest_document_bytes raises that)");
            }

            if (_ended)
            {
                line = default;
                return false;
            }

            searched = length;
            Fill();
        }
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, (int)Math.Min(2L * _buffer.Length, longest + 2L));
        }

        try
        {
            int read = stream.Read(_buffer, _end, _buffer.Length - _end);
            _end += read;
            _ended = read == 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"file {path}: cannot be read: {e.Message}", e);
        }
    }
}
