using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Tensors;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>The text of a schema: its subschemas by number, and where references lead.</summary>
internal sealed class SchemaDocument
{
    private readonly Dictionary<string, int> _byPointer = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _anchors = new(StringComparer.Ordinal);
    private readonly List<SchemaSource> _sources = [];
    private readonly CompileBudget _budget;
    private readonly JsonElement _root;
    private readonly string? _id;

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

        if (_root.ValueKind == JsonValueKind.Object)
        {
            _id = (_root.TryGetProperty("$id", out JsonElement id) || _root.TryGetProperty("id", out id)) && id.ValueKind == JsonValueKind.String ? id.GetString()!.TrimEnd('#') : null;
        }

        FindAnchors(_root, "");
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

        return Add(pointer, element, 0);
    }

    /// <summary>A member of a subschema, by keyword and further names.</summary>
    public int Child(int parent, JsonElement element, params ReadOnlySpan<string> path)
    {
        string pointer = _sources[parent].Pointer;
        foreach (string name in path)
        {
            pointer += "/" + Escape(name);
        }

        return _byPointer.TryGetValue(pointer, out int index) ? index : Add(pointer, element, _sources[parent].Depth);
    }

    /// <summary>A subschema made from another.</summary>
    public int Synthetic(int parent, string suffix, Func<JsonNode?> make)
    {
        string pointer = $"{_sources[parent].Pointer}<{suffix}>";
        if (_byPointer.TryGetValue(pointer, out int index))
        {
            return index;
        }

        int depth = _sources[parent].Depth + 1;
        if (depth > 16)
        {
            throw new PunaException($"schema: expected at most 16 negations, dependencies and constants within one another, got more ({Where(parent)})");
        }

        using JsonDocument document = JsonDocument.Parse(make()?.ToJsonString() ?? "null", new JsonDocumentOptions { MaxDepth = 4 * _budget.Limits.MaxDepth });
        return Add(pointer, document.RootElement.Clone(), depth);
    }

    public string Where(int index) => _sources[index].Pointer is { Length: > 0 } pointer ? "#" + pointer : "#";

    /// <summary>Where a reference leads; remote ones and dangling ones are refused.</summary>
    public int Resolve(int from, string reference)
    {
        string target = reference;
        if (_id is { Length: > 0 } && target.StartsWith(_id, StringComparison.Ordinal) && (target.Length == _id.Length || target[_id.Length] == '#'))
        {
            target = target.Length == _id.Length ? "#" : target[_id.Length..];
        }

        if (!target.StartsWith('#'))
        {
            throw new PunaException($"$ref: expected a reference within the schema, got {reference} ({Where(from)})");
        }

        string fragment;
        try
        {
            fragment = Uri.UnescapeDataString(target[1..]);
        }
        catch (UriFormatException)
        {
            fragment = target[1..];
        }

        string? pointer = fragment.Length == 0 || fragment[0] == '/' ? fragment : _anchors.GetValueOrDefault(fragment);
        int found = pointer is null ? -1 : At(pointer);
        return found >= 0 ? found : throw new PunaException($"$ref: expected a reference that leads somewhere, got {reference} ({Where(from)})");
    }

    public static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private int Add(string pointer, JsonElement element, int depth)
    {
        _budget.Tick("schema");
        if (_sources.Count >= _budget.Limits.MaxNodes)
        {
            throw new PunaException($"schema: expected at most {_budget.Limits.MaxNodes} subschemas, got more (JSON Schema)");
        }

        _byPointer.Add(pointer, _sources.Count);
        _sources.Add(new(element, pointer, depth));
        return _sources.Count - 1;
    }

    /// <summary>Anchors, and identifiers that are fragments (draft 4 to 7). The depth is bounded by the parser.</summary>
    private void FindAnchors(JsonElement element, string pointer)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in element.EnumerateObject())
            {
                if (property.Value.ValueKind == JsonValueKind.String)
                {
                    string text = property.Value.GetString()!;
                    if (property.Name == "$anchor")
                    {
                        _anchors.TryAdd(text, pointer);
                    }
                    else if (property.Name is "$id" or "id" && text.StartsWith('#') && text.Length > 1)
                    {
                        _anchors.TryAdd(text[1..], pointer);
                    }
                }
                else if (property.Name is not ("enum" or "const" or "default" or "examples"))
                {
                    FindAnchors(property.Value, pointer + "/" + Escape(property.Name));
                }
            }
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            int i = 0;
            foreach (JsonElement item in element.EnumerateArray())
            {
                FindAnchors(item, $"{pointer}/{i++}");
            }
        }
    }
}
