using System.Text.Json;
using Puna.Tensors;

namespace Puna.Text.Training;

/// <summary>
/// Texts from files: a <c>.txt</c> is one text, a <c>.jsonl</c> has one per line as <c>{"text":"..."}</c>, and either may be compressed as <c>.gz</c>. A byte order mark in front
/// of a file is left out.
/// </summary>
public sealed class TextFiles : ITextSource, IDisposable
{
    /// <summary>Longest line of a <c>.jsonl</c>.</summary>
    private const int LongestLine = 1 << 30;

    private readonly IReadOnlyList<string> _paths;
    private long _left;
    private int _next;
    private int _line;
    private Stream? _stream;
    private bool _isLines;
    private byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private ReadOnlyMemory<byte> _text;

    /// <summary>Creates the source; files are opened as they are reached.</summary>
    /// <param name="paths">The files, in order.</param>
    /// <param name="maxBytes">Reading ends after this many bytes of text, with the character it is in; 0 for all.</param>
    /// <exception cref="PunaException">A file is missing, or of another kind.</exception>
    public TextFiles(IReadOnlyList<string> paths, long maxBytes = 0)
    {
        foreach (string path in paths)
        {
            string name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
            if (Path.GetExtension(name).ToUpperInvariant() is not (".TXT" or ".JSONL"))
            {
                throw new PunaException($"text file {path}: expected a name that ends in .txt or .jsonl, perhaps followed by .gz");
            }

            if (!File.Exists(path))
            {
                throw new PunaException($"text file {path}: expected a file, got {(Directory.Exists(path) ? "a folder" : "nothing there")}");
            }
        }

        _paths = paths;
        _left = maxBytes > 0 ? maxBytes : long.MaxValue;
    }

    /// <inheritdoc/>
    public string Name => _isLines ? $"{_paths[_next - 1]} line {_line}" : _paths[_next - 1];

    /// <inheritdoc/>
    public bool Next()
    {
        while (_left > 0)
        {
            if (_stream is not null && _isLines && NextLine(out ReadOnlySpan<byte> line))
            {
                _line++;
                if (line.Trim(" \t\r\n"u8).IsEmpty)
                {
                    continue;
                }

                _text = Text(line);
                return true;
            }

            _stream?.Dispose();
            _stream = null;
            if (_next == _paths.Count)
            {
                return false;
            }

            Open(_paths[_next++]);
            if (!_isLines)
            {
                return true;
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public int Read(Span<byte> into)
    {
        if (_left <= 0)
        {
            return RestOfCharacter(into);
        }

        into = into[..(int)Math.Min(into.Length, _left)];
        int length;
        if (_isLines)
        {
            length = Math.Min(into.Length, _text.Length);
            _text.Span[..length].CopyTo(into);
            _text = _text[length..];
        }
        else if (_start < _end)
        {
            length = Math.Min(into.Length, _end - _start);
            _buffer.AsSpan(_start, length).CopyTo(into);
            _start += length;
        }
        else
        {
            length = ReadStream(into);
        }

        _left -= length;
        return length;
    }

    /// <inheritdoc/>
    public void Dispose() => _stream?.Dispose();

    /// <summary>Behind the last byte wanted: one more where it belongs to the character before.</summary>
    private int RestOfCharacter(Span<byte> into)
    {
        if (!_isLines && _start == _end)
        {
            (_start, _end) = (0, ReadStream(_buffer.AsSpan(0, 1)));
        }

        ReadOnlySpan<byte> rest = _isLines ? _text.Span : _buffer.AsSpan(_start, _end - _start);
        if (rest.IsEmpty || (rest[0] & 0xC0) != 0x80)
        {
            return 0;
        }

        into[0] = rest[0];
        _text = _isLines ? _text[1..] : _text;
        _start += _isLines ? 0 : 1;
        return 1;
    }

    private void Open(string path)
    {
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
            bool packed = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
            _stream = packed ? new CheckedGzipStream(file, path) : file;
            _isLines = (packed ? path[..^3] : path).EndsWith("l", StringComparison.OrdinalIgnoreCase);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PunaException($"text file {path}: cannot be read: {e.Message}", e);
        }

        (_start, _end, _line) = (0, 0, 0);
        while (_end < 3 && ReadStream(_buffer.AsSpan(_end)) is > 0 and int more)
        {
            _end += more;
        }

        _start = _buffer.AsSpan(0, _end).StartsWith("\uFEFF"u8) ? 3 : 0;
    }

    private int ReadStream(Span<byte> into)
    {
        try
        {
            return _stream!.Read(into);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"text file {_paths[_next - 1]}: cannot be read: {e.Message}", e);
        }
    }

    private bool NextLine(out ReadOnlySpan<byte> line)
    {
        int seen = _start;
        while (true)
        {
            int at = _buffer.AsSpan(seen, _end - seen).IndexOf((byte)'\n');
            if (at >= 0)
            {
                line = _buffer.AsSpan(_start, seen + at - _start);
                _start = seen + at + 1;
                return true;
            }

            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            seen = _end;
            if (_end == _buffer.Length)
            {
                if (_end >= LongestLine)
                {
                    throw new PunaException($"text file {_paths[_next - 1]} line {_line + 1}: expected at most {LongestLine} bytes, got more");
                }

                Array.Resize(ref _buffer, _buffer.Length * 2);
            }

            int length = ReadStream(_buffer.AsSpan(_end));
            _end += length;
            if (length == 0)
            {
                line = _buffer.AsSpan(0, _end);
                _start = _end;
                return !line.IsEmpty;
            }
        }
    }

    /// <summary>The member <c>text</c> of a line.</summary>
    private ReadOnlyMemory<byte> Text(ReadOnlySpan<byte> line)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            ReadOnlyMemory<byte>? text = null;
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                throw new PunaException($"text file {Name}: expected a JSON object with a text, got something else");
            }

            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool wanted = json.ValueTextEquals("text"u8);
                json.Read();
                if (!wanted)
                {
                    json.Skip();
                }
                else if (json.TokenType == JsonTokenType.String)
                {
                    byte[] bytes = new byte[json.ValueSpan.Length];
                    text = bytes.AsMemory(0, json.CopyString(bytes));
                }
                else
                {
                    throw new PunaException($"text file {Name}: expected text to be a string, got {json.TokenType}");
                }
            }

            if (json.Read())
            {
                throw new PunaException($"text file {Name}: expected one JSON object, got more");
            }

            return text ?? throw new PunaException($"text file {Name}: expected a member text, got none");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: half a surrogate pair, or bytes that are not UTF-8.
            throw new PunaException($"text file {Name}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
