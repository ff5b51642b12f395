using System.Text;
using System.Text.Json;
using Puna.Tensors;
using Puna.Text.Templates;

namespace Puna.Cli.Hosting;

/// <summary>
/// Texts in a file: one per line, or in a <c>.jsonl</c> file the <c>text</c> of one JSON object per line. Lines end at a line feed; a carriage return before it
/// belongs to the end.
/// </summary>
internal sealed class TextLines
{
    /// <summary>Name that means standard input, which is read as plain text.</summary>
    public const string StandardInput = "-";

    private const int BufferBytes = 1 << 16;
    private const int LongestLine = 1 << 30;

    private readonly string _path;
    private readonly bool _isJson;

    /// <summary>Names a file; it is opened when lines are read.</summary>
    /// <param name="path">The file, or <see cref="StandardInput"/>.</param>
    /// <param name="isRaw">Whether lines are returned as they stand, whatever the file is called.</param>
    public TextLines(string path, bool isRaw = false)
    {
        _path = path;
        _isJson = !isRaw && (path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Reads the whole file once and throws where a line is not what it should be, so that nothing is printed before an error.</summary>
    /// <exception cref="PunaException">The file is missing, not UTF-8, or has a line that is no JSON object with a <c>text</c>.</exception>
    /// <returns>Number of texts.</returns>
    public long Check()
    {
        long count = 0;
        foreach (string _ in Read())
        {
            count++;
        }

        return count;
    }

    /// <summary>The whole content of a file, without a final line break.</summary>
    /// <exception cref="PunaException">The file is missing or not UTF-8.</exception>
    public static string ReadAll(string path)
    {
        string content = ReadExactly(path);
        content = content.EndsWith('\n') ? content[..^1] : content;
        return content.EndsWith('\r') ? content[..^1] : content;
    }

    /// <summary>The whole content of a file.</summary>
    /// <exception cref="PunaException">The file is missing or not UTF-8.</exception>
    public static string ReadExactly(string path)
    {
        var file = new TextLines(path);
        using var bytes = new MemoryStream();
        using (Stream stream = file.Open())
        {
            stream.CopyTo(bytes);
        }

        ReadOnlySpan<byte> content = bytes.GetBuffer().AsSpan(0, (int)bytes.Length);
        content = content.StartsWith("\uFEFF"u8) ? content[3..] : content;
        return System.Text.Unicode.Utf8.IsValid(content) ? Encoding.UTF8.GetString(content) : throw new FileFormatException(path, "text: expected UTF-8, got other bytes");
    }

    /// <summary>Reads the texts, in order.</summary>
    /// <exception cref="PunaException">As for <see cref="Check"/>.</exception>
    public IEnumerable<string> Read()
    {
        using Stream stream = Open();
        byte[] buffer = new byte[BufferBytes];
        int start = 0, end = 0, searched = 0;
        long line = 0, blanks = 0;
        bool isEnd = false;
        while (true)
        {
            int found = buffer.AsSpan(searched, end - searched).IndexOf((byte)'\n');
            if (found < 0 && !isEnd)
            {
                searched = end;
                Fill(stream, ref buffer, ref start, ref end, ref searched, ref isEnd, line + 1);
                continue;
            }

            int length = (found < 0 ? end : searched + found) - start;
            if (found < 0 && length == 0)
            {
                yield break;
            }

            line++;
            string? text = Decode(buffer.AsSpan(start, length), line);
            start = searched = found < 0 ? end : searched + found + 1;
            if (text is null)
            {
                blanks++; // allowed at the end of a file of JSON lines only
                continue;
            }

            if (blanks > 0)
            {
                throw Wrong(line - blanks, "expected a JSON object with a text, got an empty line");
            }

            yield return text;
        }
    }

    private Stream Open()
    {
        if (_path == StandardInput)
        {
            return Console.OpenStandardInput();
        }

        try
        {
            return new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PunaException($"file {_path}: not found", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PunaException(Directory.Exists(_path) ? $"file {_path}: expected a file, got a folder" : $"file {_path}: cannot be opened: {e.Message}", e);
        }
    }

    private void Fill(Stream stream, ref byte[] buffer, ref int start, ref int end, ref int searched, ref bool isEnd, long line)
    {
        if (end == buffer.Length)
        {
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                end -= start;
                searched -= start;
                start = 0;
            }
            else if (buffer.Length < LongestLine)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
            else
            {
                throw Wrong(line, $"expected at most {LongestLine} bytes, got more");
            }
        }

        int read = stream.Read(buffer, end, buffer.Length - end);
        isEnd = read == 0;
        end += read;
    }

    /// <returns>The text; null for an empty line where JSON is expected.</returns>
    private string? Decode(ReadOnlySpan<byte> bytes, long line)
    {
        if (line == 1 && bytes.StartsWith("\uFEFF"u8))
        {
            bytes = bytes[3..];
        }

        if (bytes.EndsWith("\r"u8))
        {
            bytes = bytes[..^1];
        }

        if (!System.Text.Unicode.Utf8.IsValid(bytes))
        {
            throw Wrong(line, "expected UTF-8, got other bytes");
        }

        return !_isJson ? Encoding.UTF8.GetString(bytes) : bytes.Trim(" \t"u8).IsEmpty ? null : DecodeJson(bytes, line);
    }

    private string DecodeJson(ReadOnlySpan<byte> bytes, long line)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 32 });
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            reader.Read(); // throws where something follows
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("text", out JsonElement text) && text.ValueKind == JsonValueKind.String
                ? JsonStrings.Read(text)
                : throw Wrong(line, "expected a JSON object with a string \"text\", got something else");
        }
        catch (JsonException e)
        {
            throw Wrong(line, $"expected a JSON object, got something else at byte {e.BytePositionInLine}", e);
        }
    }

    private FileFormatException Wrong(long line, string message, Exception? inner = null) => new(_path, $"line {line}: {message}", inner: inner);
}
