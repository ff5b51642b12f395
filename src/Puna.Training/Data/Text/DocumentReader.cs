using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Puna.Tensors;
using Puna.Text.Training;

namespace Puna.Training.Data;

/// <summary>
/// Documents of a file, one at a time: <c>.txt</c>, <c>.jsonl</c> (<c>{"text":..., "source":..., "lang":...}</c> per line, the last two optional, other keys ignored), and either with <c>.gz</c> behind.
/// </summary>
public sealed class DocumentReader
{
    private static readonly string[] _endings = [".txt", ".jsonl", ".txt.gz", ".jsonl.gz"];

    /// <summary>What a document is in a text file.</summary>
    public TextSplit TextSplit { get; init; } = TextSplit.Paragraph;

    /// <summary>Most bytes of a line, and of a document.</summary>
    public int LongestDocument { get; init; } = 16 << 20;

    /// <summary>Passes on lines that are no document with a <see cref="RawDocument.Problem"/>, where they are an error otherwise.</summary>
    public bool PassProblems { get; init; }

    /// <summary>Whether the file's name ends as one that can be read.</summary>
    public static bool IsKnown(string path) => Array.Exists(_endings, ending => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads a file from its beginning.</summary>
    /// <exception cref="PunaException">It cannot be read, is damaged, or has a line that is no document.</exception>
    public IEnumerable<RawDocument> Read(string path)
    {
        if (!IsKnown(path))
        {
            throw new PunaException($"file {path}: expected a name that ends in {string.Join(", ", _endings)}");
        }

        return Documents(path);
    }

    /// <summary>Non-empty lines of a file, plain or gzip, with their numbers.</summary>
    internal static IEnumerable<(ReadOnlyMemory<byte> Line, long Number)> Lines(string path)
    {
        using Stream stream = Open(path, path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase));
        var lines = new LineReader(stream, path, new DocumentReader().LongestDocument);
        while (Take(lines) is { } line)
        {
            if (line.Length > 0)
            {
                yield return (line, lines.Line);
            }
        }

        static byte[]? Take(LineReader lines) => lines.TryRead(out ReadOnlySpan<byte> line) ? line.Trim(" \t\r"u8).ToArray() : null;
    }

    private IEnumerable<RawDocument> Documents(string path)
    {
        bool packed = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        bool json = path.EndsWith(packed ? ".jsonl.gz" : ".jsonl", StringComparison.OrdinalIgnoreCase);
        using Stream stream = Open(path, packed);
        var lines = new LineReader(stream, path, LongestDocument);
        var parts = new TextParts(this, path);
        while (Next(lines, parts, json, path) is { } document)
        {
            yield return document;
        }
    }

    private RawDocument? Next(LineReader lines, TextParts parts, bool json, string path)
    {
        while (lines.TryRead(out ReadOnlySpan<byte> line))
        {
            bool blank = line.Trim(" \t\r"u8).IsEmpty;
            if (json)
            {
                if (!blank)
                {
                    return Json(line, path, lines.Line);
                }
            }
            else if (blank && TextSplit == TextSplit.Paragraph)
            {
                if (parts.Take() is { } document)
                {
                    return document;
                }
            }
            else
            {
                parts.Add(line, lines.Line);
            }
        }

        return parts.Take();
    }

    private RawDocument Json(ReadOnlySpan<byte> line, string path, long number)
    {
        bool repaired = !Utf8.IsValid(line);
        ReadOnlySpan<byte> json = repaired ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(line)) : line;
        try
        {
            return ReadObject(json, number, repaired);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            string problem = e is JsonException ? e.Message.ReplaceLineEndings(" ") : "a string with half a surrogate pair";
            return PassProblems ? new RawDocument("", null, null, number, false, problem)
                : throw new PunaException($"line {number} of {path}: expected {{\"text\":...}}, got {problem}", e);
        }
    }

    private static RawDocument ReadObject(ReadOnlySpan<byte> json, long number, bool repaired)
    {
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException($"a JSON {reader.TokenType}");
        }

        string? text = null, source = null, language = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isText = reader.ValueTextEquals("text"u8), isSource = reader.ValueTextEquals("source"u8);
            bool isLanguage = reader.ValueTextEquals("lang"u8) || reader.ValueTextEquals("language"u8);
            reader.Read();
            if (isText || ((isSource || isLanguage) && reader.TokenType != JsonTokenType.Null))
            {
                string value = reader.TokenType == JsonTokenType.String ? reader.GetString()!
                    : throw new JsonException($"a {(isText ? "text" : isSource ? "source" : "language")} that is no string but {reader.TokenType}");
                text = isText ? value : text;
                source = isSource ? value : source;
                language = isLanguage ? value : language;
            }
            else
            {
                reader.Skip();
            }
        }

        // Reads what may stand behind the object, which is refused.
        reader.Read();
        return new RawDocument(text ?? throw new JsonException("an object without text"), source, language, number, repaired);
    }

    private static Stream Open(string path, bool packed)
    {
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
            return packed ? new CheckedGzipStream(file, path) : file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PunaException($"file {path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Lines of a text document that has been begun.</summary>
    private sealed class TextParts(DocumentReader reader, string path)
    {
        private readonly MemoryStream _bytes = new();
        private long _firstLine;

        public void Add(ReadOnlySpan<byte> line, long number)
        {
            if (_firstLine == 0)
            {
                _firstLine = number;
            }

            if (_bytes.Length + line.Length + 1 > (long)reader.LongestDocument + 1)
            {
                throw new PunaException(
                    $"document at line {_firstLine} of {path}: expected at most {reader.LongestDocument} bytes, got more at line {number} (longest_document_bytes raises that)");
            }

            _bytes.Write(line);
            _bytes.WriteByte((byte)'\n');
        }

        public RawDocument? Take()
        {
            if (_firstLine == 0)
            {
                return null;
            }

            ReadOnlySpan<byte> bytes = _bytes.GetBuffer().AsSpan(0, (int)_bytes.Length - 1);
            var document = new RawDocument(Encoding.UTF8.GetString(bytes), null, null, _firstLine, !Utf8.IsValid(bytes));
            _bytes.SetLength(0);
            _firstLine = 0;
            return document;
        }
    }
}
