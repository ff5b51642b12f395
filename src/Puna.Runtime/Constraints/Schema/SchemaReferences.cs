using System.Text.Json;

namespace Puna.Runtime.Constraints.Schema;

/// <summary>
/// Where the references of a schema lead. A subschema with an identifier of its own is a resource: references in it are relative to that identifier, their pointers begin there, and its anchors
/// are its own. Written anew, every reference that leads somewhere within the schema is a pointer from the root, and there are no identifiers.
/// </summary>
internal sealed class SchemaReferences
{
    // What identifiers are relative to where the root has none.
    private const string NoBase = "schema://document/";

    private readonly Dictionary<string, Resource> _resources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Resource?> _byUri = new(StringComparer.Ordinal);
    private readonly JsonElement _root;
    private readonly Resource _whole;

    /// <summary>Reads the identifiers, anchors and references of a schema. The depth is bounded by the parser.</summary>
    public SchemaReferences(JsonElement root)
    {
        _root = root;
        string id = root.ValueKind == JsonValueKind.Object ? Split(Text(root, "$id") ?? Text(root, "id") ?? "").Uri : "";
        _whole = new Resource(id.Length > 0 ? Absolute(NoBase, id) : NoBase, "", null);
        _byUri.Add(_whole.Uri, _whole);
        Scan(root, "", _whole, 0);
    }

    /// <summary>Whether every reference is a pointer from the root as it is written.</summary>
    public bool IsPlain { get; private set; } = true;

    /// <summary>Writes the schema anew.</summary>
    /// <param name="json">Takes the text.</param>
    /// <param name="at">JSON pointer to where the schema will stand.</param>
    public void Write(Utf8JsonWriter json, string at) => Write(json, _root, "", _whole, 0, at);

    private void Scan(JsonElement element, string pointer, Resource resource, int draft)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            int i = 0;
            foreach (JsonElement item in element.EnumerateArray())
            {
                Scan(item, $"{pointer}/{i++}", resource, draft);
            }
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            draft = DraftOf(element, draft);
            resource = Enter(element, pointer, resource, draft);
            foreach (JsonProperty property in element.EnumerateObject())
            {
                string below = pointer + "/" + SchemaDocument.Escape(property.Name);
                if (property.Name == "$ref" && property.Value.ValueKind == JsonValueKind.String)
                {
                    string reference = property.Value.GetString()!;
                    IsPlain &= resource.Parent is null && (reference == "#" || reference.StartsWith("#/", StringComparison.Ordinal));
                }
                else if (SchemaKeywords.IsMap(property.Name) && property.Value.ValueKind == JsonValueKind.Object)
                {
                    foreach (JsonProperty member in property.Value.EnumerateObject())
                    {
                        Scan(member.Value, below + "/" + SchemaDocument.Escape(member.Name), resource, draft);
                    }
                }
                else if (!SchemaKeywords.Data.Contains(property.Name))
                {
                    Scan(property.Value, below, resource, draft);
                }
            }
        }
    }

    /// <summary>The resource a subschema belongs to: that around it, or its own.</summary>
    private Resource Enter(JsonElement schema, string pointer, Resource around, int draft)
    {
        Resource resource = around;
        foreach (string keyword in (string[])["$id", "id"])
        {
            if (Text(schema, keyword) is not { } id || !IsIdentifier(schema, keyword, id, pointer, draft))
            {
                continue;
            }

            (string uri, string fragment) = Split(id);
            if (uri.Length > 0 && pointer.Length > 0)
            {
                resource = new Resource(Absolute(around.Uri, uri), pointer, around);
                _resources.Add(pointer, resource);
                if (!_byUri.TryAdd(resource.Uri, resource))
                {
                    _byUri[resource.Uri] = null; // which of them is meant cannot be told
                }
            }

            resource.AddAnchor(fragment, pointer);
        }

        foreach (string keyword in (string[])["$anchor", "$dynamicAnchor"])
        {
            if (Text(schema, keyword) is { } anchor)
            {
                resource.AddAnchor(anchor, pointer);
            }
        }

        return resource;
    }

    // Draft 4 and before call the keyword id; before draft 2019-09 what stands beside a reference says nothing. A root's may have either name.
    private static bool IsIdentifier(JsonElement schema, string keyword, string id, string pointer, int draft) =>
        (keyword == "id" ? draft is 3 or 4 || pointer.Length == 0 || id.StartsWith('#') : draft is not (3 or 4) || pointer.Length == 0)
        && !(draft > 0 && pointer.Length > 0 && Text(schema, "$ref") is not null);

    /// <summary>The draft a schema is written in where that is 3 to 7, else 0.</summary>
    private static int DraftOf(JsonElement schema, int around)
    {
        if (Text(schema, "$schema") is not { } text)
        {
            return around;
        }

        int at = text.IndexOf("/draft-0", StringComparison.Ordinal);
        return at >= 0 && at + 8 < text.Length && text[at + 8] is >= '3' and <= '7' ? text[at + 8] - '0' : 0;
    }

    private static string? Text(JsonElement schema, string keyword) =>
        schema.TryGetProperty(keyword, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static (string Uri, string Fragment) Split(string reference)
    {
        int hash = reference.IndexOf('#', StringComparison.Ordinal);
        return hash < 0 ? (reference, "") : (reference[..hash], Uri.UnescapeDataString(reference[(hash + 1)..]));
    }

    private static string Absolute(string around, string reference)
    {
        if (!Uri.TryCreate(around, UriKind.Absolute, out Uri? from))
        {
            return reference;
        }

        // A path from the root would be taken for a file's.
        string text = reference.StartsWith("//", StringComparison.Ordinal) ? from.Scheme + ":" + reference
            : reference.StartsWith('/') ? from.GetLeftPart(UriPartial.Authority) + reference
            : reference;
        return Uri.TryCreate(from, text, out Uri? absolute) ? absolute.AbsoluteUri : reference;
    }

    /// <summary>A reference as a pointer from the root, or as it is where it leads nowhere within the schema.</summary>
    private string Resolve(string reference, Resource from, string at)
    {
        (string uri, string fragment) = Split(reference);
        Resource? target = uri.Length == 0 ? from : Find(Absolute(from.Uri, uri), from);
        string? pointer = target is null ? null
            : fragment.Length == 0 || fragment[0] == '/' ? target.Pointer + fragment
            : target.Anchor(fragment);
        return pointer is null ? reference : "#" + (at + pointer).Replace("%", "%25", StringComparison.Ordinal);
    }

    // Of resources of the same identifier the one around the reference is meant.
    private Resource? Find(string uri, Resource from)
    {
        for (Resource? resource = from; resource is not null; resource = resource.Parent)
        {
            if (resource.Uri == uri)
            {
                return resource;
            }
        }

        return _byUri.GetValueOrDefault(uri);
    }

    private void Write(Utf8JsonWriter json, JsonElement element, string pointer, Resource resource, int draft, string at)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            json.WriteStartArray();
            int i = 0;
            foreach (JsonElement item in element.EnumerateArray())
            {
                Write(json, item, $"{pointer}/{i++}", resource, draft, at);
            }

            json.WriteEndArray();
            return;
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            element.WriteTo(json);
            return;
        }

        draft = DraftOf(element, draft);
        resource = _resources.GetValueOrDefault(pointer) ?? resource;
        json.WriteStartObject();
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string? text = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;
            if (text is not null && (property.Name is "$id" or "$anchor" or "$dynamicAnchor" || (property.Name == "id" && IsIdentifier(element, "id", text, pointer, draft))))
            {
                continue;
            }

            string below = pointer + "/" + SchemaDocument.Escape(property.Name);
            json.WritePropertyName(property.Name);
            if (text is not null && property.Name == "$ref")
            {
                json.WriteStringValue(Resolve(text, resource, at));
            }
            else if (SchemaKeywords.IsMap(property.Name) && property.Value.ValueKind == JsonValueKind.Object)
            {
                json.WriteStartObject();
                foreach (JsonProperty member in property.Value.EnumerateObject())
                {
                    json.WritePropertyName(member.Name);
                    Write(json, member.Value, below + "/" + SchemaDocument.Escape(member.Name), resource, draft, at);
                }

                json.WriteEndObject();
            }
            else if (SchemaKeywords.Data.Contains(property.Name))
            {
                property.Value.WriteTo(json);
            }
            else
            {
                Write(json, property.Value, below, resource, draft, at);
            }
        }

        json.WriteEndObject();
    }

    private sealed class Resource(string uri, string pointer, Resource? parent)
    {
        private readonly Dictionary<string, string?> _anchors = new(StringComparer.Ordinal);

        public string Uri { get; } = uri;

        public string Pointer { get; } = pointer;

        public Resource? Parent { get; } = parent;

        public void AddAnchor(string name, string pointer)
        {
            if (name.Length > 0 && name[0] != '/' && !_anchors.TryAdd(name, pointer) && _anchors[name] != pointer)
            {
                _anchors[name] = null; // which of them is meant cannot be told
            }
        }

        public string? Anchor(string name) => _anchors.GetValueOrDefault(name);
    }
}
