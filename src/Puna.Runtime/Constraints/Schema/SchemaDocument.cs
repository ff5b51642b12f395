using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>The text of a schema: its subschemas by number, and where references lead.</summary>
internal sealed class SchemaDocument
{
    private readonly Dictionary<string, int> _byPointer = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Parent, string Path), int> _made = [];
    private readonly List<SchemaSource> _sources = [];
    private readonly CompileBudget _budget;
    private readonly JsonElement _root;

    public SchemaDocument(string text, CompileBudget budget)
    {
        _budget = budget;
        if (text.Length > budget.Limits.MaxTextLength)
        {
            throw new PunaException($"schema: expected at most {budget.Limits.MaxTextLength} characters, got {text.Length} (JSON Schema)");
        }

        try
        {
            _root = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = budget.Limits.MaxDepth, AllowDuplicateProperties = false }).RootElement;
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw new PunaException($"schema: expected JSON, got {error.Message} (JSON Schema)", error);
        }

        var references = new SchemaReferences(_root);
        if (!references.IsPlain)
        {
            var bytes = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { MaxDepth = budget.Limits.MaxDepth }))
            {
                references.Write(json, "");
            }

            _root = JsonDocument.Parse(bytes.WrittenMemory, new JsonDocumentOptions { MaxDepth = budget.Limits.MaxDepth }).RootElement;
        }

        At("");
    }

    public SchemaSource this[int index] => _sources[index];

    public int Count => _sources.Count;

    /// <summary>The number of the subschema at a pointer.</summary>
    public int At(string pointer)
    {
        if (_byPointer.TryGetValue(pointer, out int index))
        {
            return index;
        }

        JsonElement element = _root;
        foreach (string token in pointer.Split('/').Skip(1))
        {
            string name = token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement member))
            {
                element = member;
            }
            else if (element.ValueKind == JsonValueKind.Array && int.TryParse(name, out int i) && i >= 0 && i < element.GetArrayLength())
            {
                element = element[i];
            }
            else
            {
                return -1;
            }
        }

        _byPointer.Add(pointer, _sources.Count);
        return Add(pointer, element, 0, isMade: false);
    }

    /// <summary>A member of a subschema, by keyword and further names.</summary>
    public int Child(int parent, JsonElement element, params ReadOnlySpan<string> path)
    {
        string below = "";
        foreach (string name in path)
        {
            below += "/" + Escape(name);
        }

        SchemaSource source = _sources[parent];
        string pointer = source.Pointer + below;
        if (source.IsMade ? _made.TryGetValue((parent, below), out int index) : _byPointer.TryGetValue(pointer, out index))
        {
            return index;
        }

        if (source.IsMade)
        {
            _made.Add((parent, below), _sources.Count);
        }
        else
        {
            _byPointer.Add(pointer, _sources.Count);
        }

        return Add(pointer, element, source.Depth, source.IsMade);
    }

    /// <summary>A subschema made from another.</summary>
    public int Synthetic(int parent, string suffix, Func<JsonNode?> make)
    {
        // No pointer leads to one, whatever the names in the schema are.
        suffix = $"<{suffix}>";
        if (_made.TryGetValue((parent, suffix), out int index))
        {
            return index;
        }

        int depth = _sources[parent].Depth + 1;
        if (depth > 16)
        {
            throw new PunaException($"schema: expected at most 16 negations, dependencies and constants within one another, got more ({Where(parent)})");
        }

        using JsonDocument document = JsonDocument.Parse(make()?.ToJsonString() ?? "null", new JsonDocumentOptions { MaxDepth = 4 * _budget.Limits.MaxDepth });
        _made.Add((parent, suffix), _sources.Count);
        return Add(_sources[parent].Pointer + suffix, document.RootElement.Clone(), depth, isMade: true);
    }

    public string Where(int index) => _sources[index].Pointer is { Length: > 0 } pointer ? "#" + pointer : "#";

    /// <summary>Where a reference leads; remote ones and dangling ones are refused.</summary>
    public int Resolve(int from, string reference)
    {
        if (!reference.StartsWith('#'))
        {
            throw new PunaException($"$ref: expected a reference within the schema, got {reference} ({Where(from)})");
        }

        // Anchors have become pointers, where there are such.
        string fragment = Uri.UnescapeDataString(reference[1..]);
        int found = fragment.Length == 0 || fragment[0] == '/' ? At(fragment) : -1;
        return found >= 0 ? found : throw new PunaException($"$ref: expected a reference that leads somewhere, got {reference} ({Where(from)})");
    }

    public static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private int Add(string pointer, JsonElement element, int depth, bool isMade)
    {
        _budget.Tick("schema");
        if (_sources.Count >= _budget.Limits.MaxNodes)
        {
            throw new PunaException($"schema: expected at most {_budget.Limits.MaxNodes} subschemas, got more (JSON Schema)");
        }

        _sources.Add(new(element, pointer, depth, isMade));
        return _sources.Count - 1;
    }
}
