using System.Text.Json;

namespace Puna.Server.Http;

/// <summary>An object of a request's body: typed members, and errors that name the one that is wrong. A member that is null counts as absent.</summary>
/// <param name="element">The object.</param>
/// <param name="path">Where it stands, for messages.</param>
internal readonly struct RequestObject(JsonElement element, string path = "")
{
    /// <summary>The object itself.</summary>
    public JsonElement Element => element;

    /// <summary>Where it stands.</summary>
    public string Path => path;

    /// <summary>Whether there is such a member.</summary>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>The path of a member.</summary>
    public string At(string name) => path.Length == 0 ? name : $"{path}.{name}";

    /// <summary>A member of any kind, or null.</summary>
    public JsonElement? Find(string name) => element.TryGetProperty(name, out JsonElement found) && found.ValueKind != JsonValueKind.Null ? found : null;

    /// <summary>A text, or null.</summary>
    public string? String(string name) => Find(name) is not { } e ? null : e.ValueKind == JsonValueKind.String ? Text(e, At(name)) : throw Wrong(name, "a string", e);

    /// <summary>A text that must be there.</summary>
    public string RequireString(string name) => String(name) ?? throw Missing(name);

    /// <summary>Yes or no, or null.</summary>
    public bool? Bool(string name) => Find(name) is not { } e ? null : e.ValueKind is JsonValueKind.True or JsonValueKind.False ? e.GetBoolean() : throw Wrong(name, "true or false", e);

    /// <summary>A number within bounds, or null.</summary>
    public double? Number(string name, double least = double.MinValue, double most = double.MaxValue)
    {
        if (Find(name) is not { } e)
        {
            return null;
        }

        return e.ValueKind == JsonValueKind.Number && e.TryGetDouble(out double value) && value >= least && value <= most
            ? value
            : throw Wrong(name, least == double.MinValue ? "a number" : FormattableString.Invariant($"a number from {least} to {(most == double.MaxValue ? "any" : most)}"), e);
    }

    /// <summary>A whole number within bounds, or null.</summary>
    public int? Int(string name, int least = int.MinValue, int most = int.MaxValue) => (int?)Long(name, least, most);

    /// <summary>A whole number within bounds, or null.</summary>
    public long? Long(string name, long least = long.MinValue, long most = long.MaxValue)
    {
        if (Find(name) is not { } e)
        {
            return null;
        }

        // 10.0 is a whole number too: some clients send all numbers as floats.
        bool isWhole = e.ValueKind == JsonValueKind.Number && (e.TryGetInt64(out long value) || (e.TryGetDouble(out double real) && real == Math.Floor(real) && Math.Abs(real) < 1e15 && (value = (long)real) == real));
        return isWhole && (e.TryGetInt64(out value) ? value : value = (long)e.GetDouble()) >= least && value <= most
            ? value
            : throw Wrong(name, least == long.MinValue ? "a whole number" : $"a whole number from {least} to {most}", e);
    }

    /// <summary>An object, or null.</summary>
    public RequestObject? Object(string name) => Find(name) is not { } e ? null : e.ValueKind == JsonValueKind.Object ? new RequestObject(e, At(name)) : throw Wrong(name, "an object", e);

    /// <summary>An array, or null.</summary>
    public IReadOnlyList<JsonElement>? Array(string name, int most = int.MaxValue)
    {
        if (Find(name) is not { } e)
        {
            return null;
        }

        if (e.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(name, "an array", e);
        }

        return e.GetArrayLength() <= most ? [.. e.EnumerateArray()] : throw ApiException.Bad(At(name), $"{At(name)}: expected at most {most} items, got {e.GetArrayLength()}");
    }

    /// <summary>An array of objects, or null.</summary>
    public IReadOnlyList<RequestObject>? Objects(string name, int most = int.MaxValue)
    {
        if (Array(name, most) is not { } items)
        {
            return null;
        }

        var result = new RequestObject[items.Count];
        for (int i = 0; i < result.Length; i++)
        {
            string where = $"{At(name)}[{i}]";
            result[i] = items[i].ValueKind == JsonValueKind.Object ? new RequestObject(items[i], where) : throw ApiException.Bad(where, $"{where}: expected an object, got {Kind(items[i])}");
        }

        return result;
    }

    /// <summary>A text or an array of texts; none where absent.</summary>
    public IReadOnlyList<string> Strings(string name, int most)
    {
        if (Find(name) is not { } e)
        {
            return [];
        }

        if (e.ValueKind == JsonValueKind.String)
        {
            return [Text(e, At(name))];
        }

        IReadOnlyList<JsonElement> items = Array(name, most)!;
        var result = new string[items.Count];
        for (int i = 0; i < result.Length; i++)
        {
            string where = $"{At(name)}[{i}]";
            result[i] = items[i].ValueKind == JsonValueKind.String ? Text(items[i], where) : throw ApiException.Bad(where, $"{where}: expected a string, got {Kind(items[i])}");
        }

        return result;
    }

    /// <summary>An error for a member that is missing.</summary>
    public ApiException Missing(string name) => ApiException.Bad(At(name), $"{At(name)}: expected a value, got none", "missing_required_parameter");

    /// <summary>An error for a member that is wrong.</summary>
    public ApiException Wrong(string name, string expected, JsonElement got) => ApiException.Bad(At(name), $"{At(name)}: expected {expected}, got {Kind(got)}");

    /// <summary>What a value is, for messages.</summary>
    public static string Kind(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => e.GetRawText() is { Length: <= 60 } text ? text : e.ValueKind == JsonValueKind.String ? "a long string" : "a long number",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => "null",
    };

    // Half a surrogate pair is valid JSON and no text.
    private static string Text(JsonElement e, string where)
    {
        try
        {
            return e.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw ApiException.Bad(where, $"{where}: expected well-formed Unicode, got half a surrogate pair");
        }
    }
}
