using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Puna.Runtime.Constraints;
using Puna.Runtime.Constraints.Machines;
using Puna.Tensors;
using Puna.Text;

namespace Puna.MaskBench;

/// <summary>Compiles schemas and walks instances, one mask per token.</summary>
public sealed class MaskBenchRun(Tokenizer tokenizer, VocabularyTrie vocabulary)
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // What masks take is measured, not limited.
    private static readonly ConstraintLimits Limits = ConstraintLimits.Default with { MaxMaskSteps = int.MaxValue, MaxTextSteps = long.MaxValue / 2 };

    private readonly uint[] _mask = new uint[vocabulary.Words];

    /// <summary>Runs all of the code often enough that it is compiled for good.</summary>
    public void WarmUp()
    {
        const string Schema = """
            {"type":"object","properties":{"name":{"type":"string","maxLength":200},"count":{"type":"integer","minimum":3},"when":{"type":"string","format":"date"},
             "kind":{"enum":["a","b",1]},"list":{"type":"array","items":{"anyOf":[{"type":"string","pattern":"^[a-z]+$"},{"type":"null"}]}}},"required":["name"]}
            """;
        const string Instance = """{"name":"a name of \"several\" words","count":12,"when":"2024-02-29","kind":"a","list":["abc",null],"more":{"x":[1,2.5,true]}}""";
        for (long started = Stopwatch.GetTimestamp(), i = 0; i < 60 && Stopwatch.GetElapsedTime(started).TotalSeconds < 4; i++)
        {
            Walk(JsonSchemaConstraint.Compile(Schema, vocabulary, Limits), Instance, new MaskBenchResult { File = "" });
        }
    }

    /// <summary>Measures one file.</summary>
    public MaskBenchResult Measure(string path)
    {
        var result = new MaskBenchResult { File = Path.GetFileName(path) };
        using JsonDocument document = Parse(path);
        string schema = Member(document.RootElement, "schema", path).GetRawText();
        JsonSchemaConstraint? constraint = null;
        long started = Stopwatch.GetTimestamp();
        try
        {
            constraint = JsonSchemaConstraint.Compile(schema, vocabulary, Limits);
        }
        catch (PunaException error)
        {
            result.Error = error.Message;
        }

        result.CompileMicroseconds = Stopwatch.GetElapsedTime(started).TotalMicroseconds;
        if (constraint is not null)
        {
            foreach (JsonElement test in Member(document.RootElement, "tests", path).EnumerateArray())
            {
                bool accepted = Walk(constraint, Text(Member(test, "data", path)), result);
                result.Instances.Add((accepted, Member(test, "valid", path).GetBoolean()));
            }

            result.Bytes = ((IMeasuredConstraint)constraint).MetBytes;
        }

        return result;
    }

    private static JsonDocument Parse(string path)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 512 });
        }
        catch (JsonException error)
        {
            throw new PunaException($"file: expected JSON, got {error.Message} ({path})", error);
        }
    }

    private static JsonElement Member(JsonElement element, string name, string path) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement member)
            ? member
            : throw new PunaException($"file: expected a member {name}, got none ({path})");

    /// <summary>The instance as compact JSON; numbers keep their spelling.</summary>
    private static string Text(JsonElement data)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Compact))
        {
            data.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Whether every token was allowed by the mask before it, and the end after the last.</summary>
    private bool Walk(JsonSchemaConstraint constraint, string text, MaskBenchResult result)
    {
        var state = (MachineState)constraint.Start();
        foreach (int token in tokenizer.Encode(text))
        {
            long before = state.Steps, started = Stopwatch.GetTimestamp();
            state.FillMask(_mask);
            result.MaskMicroseconds.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds);
            bool allowed = (_mask[token >> 5] >> (token & 31) & 1) != 0;
            bool accepted = state.TryAccept(token);
            result.MostSteps = Math.Max(result.MostSteps, state.Steps - before);
            result.MostTextSteps = Math.Max(result.MostTextSteps, state.Steps);
            if (accepted != allowed)
            {
                throw new PunaException($"token {token}: expected the mask and the state to agree, got {allowed} and {!allowed} ({text})");
            }

            if (!allowed)
            {
                return false;
            }
        }

        return state.IsAccepting;
    }
}
