using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Puna.Cli.Hosting;

/// <summary>One line of JSON on a text writer: written to memory first, then to the writer with a line break when disposed.</summary>
internal sealed class JsonOutput : IDisposable
{
    private readonly MemoryStream _bytes = new();
    private readonly TextWriter _output;

    /// <summary>Begins a line.</summary>
    public JsonOutput(TextWriter output)
    {
        _output = output;
        Writer = new Utf8JsonWriter(_bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>Writes the value of the line.</summary>
    public Utf8JsonWriter Writer { get; }

    /// <summary>Ends the line; a value that is not complete (because writing it failed) is dropped.</summary>
    public void Dispose()
    {
        bool isComplete = Writer.CurrentDepth == 0 && Writer.BytesPending + Writer.BytesCommitted > 0;
        Writer.Flush();
        Writer.Dispose();
        if (isComplete)
        {
            _output.Write(Encoding.UTF8.GetString(_bytes.GetBuffer(), 0, (int)_bytes.Length));
            _output.Write('\n');
        }
    }
}
