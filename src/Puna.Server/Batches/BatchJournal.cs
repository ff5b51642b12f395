using System.Text;
using System.Text.Json;
using Puna.Server.Http;
using Puna.Tensors;

namespace Puna.Server.Batches;

/// <summary>
/// The output of a batch: a line per answer, in the order in which they come. Each line is written as a whole, so that a process that is killed leaves whole lines and at most one that has no end,
/// which the next run drops. While a run has it, no other can.
/// </summary>
public sealed class BatchJournal : IDisposable
{
    private const string Start = "{\"id\":\"batch_req_";

    private readonly FileStream? _file;
    private readonly TextWriter? _writer;

    private BatchJournal(string name, FileStream? file, TextWriter? writer, HashSet<UInt128> done) => (Name, _file, _writer, Done) = (name, file, writer, done);

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>Keys of the lines that were answered before.</summary>
    internal HashSet<UInt128> Done { get; }

    /// <summary>Opens or makes an output.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="PunaException">It cannot be opened, another run has it, or it is something else than answers of a batch. It is not changed then.</exception>
    public static BatchJournal Open(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PunaException(Directory.Exists(path) ? $"output {path}: expected a file, got a folder" : $"output {path}: cannot be opened: {e.Message}", e);
        }

        try
        {
            var done = new HashSet<UInt128>();
            long whole = Read(stream, path, done);
            if (whole < stream.Length)
            {
                stream.SetLength(whole);
            }

            stream.Position = whole;
            return new BatchJournal(path, stream, null, done);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Answers that go where they cannot be read again: there is no second run.</summary>
    /// <param name="name">What to call it.</param>
    /// <param name="writer">Not owned; flushed after every line.</param>
    public static BatchJournal To(string name, TextWriter writer) => new(name, null, writer, []);

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    /// <summary>Adds a line.</summary>
    /// <param name="line">Ends with a line feed.</param>
    /// <exception cref="IOException">It cannot be written; a part of it that was is dropped by the next run.</exception>
    internal void Add(byte[] line)
    {
        _file?.Write(line);
        _writer?.Write(Encoding.UTF8.GetString(line));
        _writer?.Flush();
    }

    /// <summary>Reads what was answered before.</summary>
    /// <returns>How many bytes are whole lines.</returns>
    private static long Read(Stream stream, string path, HashSet<UInt128> done)
    {
        var lines = new ByteLines(stream, Array.MaxLength);
        long whole = 0;
        while (lines.Read(out ReadOnlyMemory<byte> line))
        {
            if (!lines.IsEnded)
            {
                // Whoever is killed leaves a beginning of a line, and nobody wants anything else to be dropped.
                string text = Encoding.UTF8.GetString(line.Span[..Math.Min(line.Length, Start.Length)]);
                return Start.StartsWith(text, StringComparison.Ordinal) ? whole : throw Wrong(path, lines.Number);
            }

            if (!done.Add(Key(line, path, lines.Number)))
            {
                throw new FileFormatException(path, $"line {lines.Number}: expected one answer to each line of the input, got another to the same");
            }

            whole = lines.Position;
        }

        return whole;
    }

    private static UInt128 Key(ReadOnlyMemory<byte> line, string path, long number)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = JsonBody.Depth + 8 });
            JsonElement id = document.RootElement.GetProperty("custom_id");
            return id.ValueKind == JsonValueKind.String
                ? BatchRequest.KeyOf(id.GetString()!)
                : BatchRequest.KeyOf(document.RootElement.GetProperty("error").GetProperty("line").GetInt64());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw Wrong(path, number);
        }
    }

    private static FileFormatException Wrong(string path, long number) => new(path, $"line {number}: expected an answer of a batch, got something else");
}
