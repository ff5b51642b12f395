namespace Puna.Server.Batches;

/// <summary>Lines of a stream, as bytes, one after the other in memory. Lines end at a line feed; a carriage return before it belongs to the end.</summary>
/// <param name="stream">Not owned.</param>
/// <param name="most">Most bytes of a line; of a longer one the rest is passed over.</param>
internal sealed class ByteLines(Stream stream, int most)
{
    private const int Piece = 1 << 16;

    private byte[] _buffer = new byte[Piece];
    private int _start, _end;
    private bool _isFirst = true;

    /// <summary>Bytes up to the end of the latest line.</summary>
    public long Position { get; private set; }

    /// <summary>The number of the latest line, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>Whether the latest line has an end; the last line of a stream may lack it.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Whether the latest line is longer than it may be; it is given as an empty one.</summary>
    public bool IsTooLong { get; private set; }

    /// <summary>Reads the next line.</summary>
    /// <param name="line">Its bytes; of use until the next call.</param>
    /// <returns>False at the end.</returns>
    public bool Read(out ReadOnlyMemory<byte> line)
    {
        IsTooLong = false;
        int searched = _start;
        while (true)
        {
            int found = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                line = Take(searched + found, 1);
                return true;
            }

            if (_end - _start > most)
            {
                // Only its end is of interest from here on.
                IsTooLong = true;
                Position += _end - _start;
                _start = _end;
            }

            searched = _end;
            if (!Fill(ref searched))
            {
                line = Take(_end, 0);
                return !line.IsEmpty || IsTooLong || IsEnded;
            }
        }
    }

    private ReadOnlyMemory<byte> Take(int end, int breakLength)
    {
        ReadOnlyMemory<byte> line = _buffer.AsMemory(_start, end - _start);
        IsEnded = breakLength > 0;
        Number += IsEnded || !line.IsEmpty || IsTooLong ? 1 : 0;
        Position += line.Length + breakLength;
        _start = end + breakLength;
        IsTooLong |= line.Length > most;
        if (_isFirst && line.Span.StartsWith("\uFEFF"u8))
        {
            line = line[3..];
        }

        _isFirst = false;
        line = line.Span.EndsWith("\r"u8) ? line[..^1] : line;
        return IsTooLong ? ReadOnlyMemory<byte>.Empty : line;
    }

    private bool Fill(ref int searched)
    {
        if (_end == _buffer.Length && _start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end, searched) = (0, _end - _start, searched - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, (int)Math.Min(2L * _buffer.Length, Array.MaxLength));
        }

        int count = stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += count;
        return count > 0;
    }
}
