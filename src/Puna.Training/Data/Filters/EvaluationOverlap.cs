using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>
/// Finds documents that hold a run of words of an evaluation set (spec training.md 2.3). A record is a line of a <c>.jsonl</c> file (all its strings, in order) or a document of a <c>.txt</c> file.
/// Records shorter than the run are left out: they would match by chance.
/// </summary>
public sealed class EvaluationOverlap
{
    /// <summary>Words of a run.</summary>
    public const int RunWords = 13;

    private readonly HashSet<ulong> _runs = [];
    private readonly long _mostRuns;

    /// <summary>Creates an empty set.</summary>
    /// <param name="memoryBytes">What the runs may take.</param>
    public EvaluationOverlap(long memoryBytes) => _mostRuns = Math.Max(1000, memoryBytes / 40);

    /// <summary>Different runs.</summary>
    public int Runs => _runs.Count;

    /// <summary>Records that were too short to be looked for.</summary>
    public long TooShort { get; private set; }

    /// <summary>Records read.</summary>
    public long Records { get; private set; }

    /// <summary>Adds a file.</summary>
    /// <exception cref="PunaException">It cannot be read, or the runs need more memory than there may be.</exception>
    public void AddFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        bool json = path.Contains(".jsonl", StringComparison.OrdinalIgnoreCase);
        var words = new List<ulong>();
        foreach (string record in json ? JsonRecords(path) : TextRecords(path))
        {
            Records++;
            ShingleWords.Read(new TextNormalization().Apply(record), words);
            if (words.Count < RunWords)
            {
                TooShort++;
            }

            ReadOnlySpan<ulong> all = CollectionsMarshal.AsSpan(words);
            for (int i = 0; i + RunWords <= all.Length; i++)
            {
                _runs.Add(ShingleWords.Gram(all.Slice(i, RunWords)));
            }

            if (_runs.Count > _mostRuns)
            {
                throw new PunaException($"evaluation file {path}: expected at most {_mostRuns} different runs of {RunWords} words within the memory limit, got more (memory_mb raises that)");
            }
        }
    }

    /// <summary>Whether the text has a run of words in common with the evaluation sets.</summary>
    /// <param name="text">The text.</param>
    /// <param name="words">Scratch.</param>
    public bool IsIn(ReadOnlySpan<char> text, List<ulong> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        if (_runs.Count == 0)
        {
            return false;
        }

        ShingleWords.Read(text, words);
        ReadOnlySpan<ulong> all = CollectionsMarshal.AsSpan(words);
        for (int i = 0; i + RunWords <= all.Length; i++)
        {
            if (_runs.Contains(ShingleWords.Gram(all.Slice(i, RunWords))))
            {
                return true;
            }
        }

        return false;
    }

    private static IEnumerable<string> TextRecords(string path)
    {
        foreach (RawDocument document in new DocumentReader().Read(path))
        {
            yield return document.Text;
        }
    }

    private static IEnumerable<string> JsonRecords(string path)
    {
        foreach ((ReadOnlyMemory<byte> line, long number) in DocumentReader.Lines(path))
        {
            string? record = null;
            try
            {
                record = Strings(line.Span);
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                throw new PunaException($"line {number} of {path}: expected a JSON object, got {e.Message.ReplaceLineEndings(" ")}", e);
            }

            yield return record;
        }
    }

    private static string Strings(ReadOnlySpan<byte> json)
    {
        var text = new StringBuilder();
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.String)
            {
                text.Append(reader.GetString()).Append(' ');
            }
        }

        return text.ToString();
    }
}
