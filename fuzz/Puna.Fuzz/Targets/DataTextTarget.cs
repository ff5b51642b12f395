using Puna.Tensors;
using Puna.Training.Data;

namespace Puna.Fuzz.Targets;

/// <summary>Files of training text, plain and compressed, line by line: read, normalised and measured. The first byte chooses the kind of file.</summary>
public sealed class DataTextTarget : IFuzzTarget
{
    private static readonly string[] _endings = [".txt", ".jsonl", ".txt.gz", ".jsonl.gz"];

    /// <inheritdoc/>
    public string Name => "datatext";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        [0, .. "First line, e\u0301.\r\nSecond line.\n\nThe other document...\n"u8],
        [1, .. "{\"text\":\"one\",\"source\":\"web\",\"lang\":\"en\"}\n\n{\"id\":[1,{}],\"text\":\"t\\u00e4\\nwo\"}\n"u8],
        [2, .. Packed("a\n\nb\n"u8)],
        [3, .. Packed("{\"text\":\"one\"}\n"u8)],
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        string path = Path.Combine(Path.GetTempPath(), $"puna-fuzz-{Environment.ProcessId}{_endings[input[0] % _endings.Length]}");
        File.WriteAllBytes(path, input[1..]);
        try
        {
            var view = new TextView();
            var normalization = new TextNormalization();
            foreach (RawDocument document in new DocumentReader { LongestDocument = 1 << 12 }.Read(path))
            {
                string text = normalization.Apply(document.Text);
                if (normalization.Apply(text) != text)
                {
                    throw new InvalidOperationException("normalising twice is not normalising once");
                }

                view.Take(text, LanguageIdentifier.Identify(text));
                foreach (TextMeasure measure in Enum.GetValues<TextMeasure>())
                {
                    if (!double.IsFinite(view.Measure(measure)) || view.Measure(measure) < 0)
                    {
                        throw new InvalidOperationException($"{measure} is {view.Measure(measure)}");
                    }
                }
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static byte[] Packed(ReadOnlySpan<byte> text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(bytes, System.IO.Compression.CompressionLevel.Fastest))
        {
            gzip.Write(text);
        }

        return bytes.ToArray();
    }
}
