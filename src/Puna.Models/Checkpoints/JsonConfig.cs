using System.Text.Json;
using System.Text.Unicode;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>A JSON object of settings, read with errors that name file and key.</summary>
internal sealed class JsonConfig
{
    private readonly string _file;
    private readonly string _prefix;
    private readonly JsonElement _object;

    private JsonConfig(string file, string prefix, JsonElement element) => (_file, _prefix, _object) = (file, prefix, element);

    public string File => _file;

    /// <summary>Reads a file.</summary>
    /// <exception cref="PunaException">Missing, too large, or not a JSON object.</exception>
    public static JsonConfig Read(string file)
    {
        const long Largest = 16 << 20;
        try
        {
            using FileStream stream = System.IO.File.OpenRead(file);
            if (stream.Length > Largest)
            {
                throw new FileFormatException(file, $"settings: expected at most {Largest} bytes, got {stream.Length}");
            }

            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            ReadOnlyMemory<byte> json = bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes;
            if (!Utf8.IsValid(json.Span))
            {
                throw new FileFormatException(file, "settings: expected JSON in UTF-8");
            }

            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32 });
            // Meets every string and name: broken Unicode shows here and not where a key is looked for.
            using (var all = new Utf8JsonWriter(Stream.Null))
            {
                document.RootElement.WriteTo(all);
            }

            return Of(file, document.RootElement.Clone());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new FileFormatException(file, $"settings: expected JSON, got {e.Message}", inner: e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PunaException($"file {file}: not found", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"file {file}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Wraps an element.</summary>
    public static JsonConfig Of(string file, JsonElement element) =>
        element.ValueKind == JsonValueKind.Object ? new JsonConfig(file, "", element) : throw new FileFormatException(file, $"settings: expected a JSON object, got {element.ValueKind}");

    /// <summary>Whether the key is there with a value other than null.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>Whether the key is not there at all, so that a default of the reference's class counts; null is no default.</summary>
    public bool Lacks(string key) => !_object.TryGetProperty(key, out _);

    /// <summary>The keys, in order.</summary>
    public IEnumerable<string> Keys => _object.EnumerateObject().Select(static property => property.Name);

    public JsonConfig? Object(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } e => new JsonConfig(_file, _prefix + key + ".", e),
        JsonElement e => throw Wrong(key, "an object", e),
    };

    public string? String(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } e => e.GetString(),
        JsonElement e => throw Wrong(key, "a string", e),
    };

    public bool? Bool(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        JsonElement e => throw Wrong(key, "true or false", e),
    };

    /// <summary>True or false, or a number, which is true unless it is 0.</summary>
    public bool? TruthOrNumber(string key) => Find(key) is { ValueKind: JsonValueKind.Number } ? Number(key) != 0 : Bool(key);

    public double? Number(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } e when e.TryGetDouble(out double value) && double.IsFinite(value) => value,
        JsonElement e => throw Wrong(key, "a number", e),
    };

    public int? Int(string key) => Find(key) is not JsonElement e ? null : Whole(e) ?? throw Wrong(key, "a whole number", e);

    public int RequireInt(string key) => Int(key) ?? throw new FileFormatException(_file, $"setting {_prefix}{key}: expected a whole number, got none");

    /// <summary>A number or a list of numbers.</summary>
    public IReadOnlyList<int>? Ints(string key)
    {
        if (Find(key) is not JsonElement e)
        {
            return null;
        }

        if (e.ValueKind != JsonValueKind.Array)
        {
            return [Int(key)!.Value];
        }

        var list = new List<int>();
        foreach (JsonElement item in e.EnumerateArray())
        {
            list.Add(Whole(item) ?? throw Wrong(key, "whole numbers", item));
        }

        return list;
    }

    /// <summary>A list of numbers.</summary>
    public IReadOnlyList<double>? Numbers(string key)
    {
        if (Find(key) is not JsonElement e)
        {
            return null;
        }

        return e.ValueKind == JsonValueKind.Array
            ? [.. e.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out double value) && double.IsFinite(value) ? value : throw Wrong(key, "numbers", item))]
            : throw Wrong(key, "a list of numbers", e);
    }

    /// <summary>A list of pairs of numbers.</summary>
    public IReadOnlyList<(int First, int Second)>? IntPairs(string key)
    {
        if (Find(key) is not JsonElement e)
        {
            return null;
        }

        var list = new List<(int, int)>();
        foreach (JsonElement item in e.ValueKind == JsonValueKind.Array ? e.EnumerateArray() : throw Wrong(key, "a list of pairs", e))
        {
            list.Add(item.ValueKind == JsonValueKind.Array && item.GetArrayLength() == 2 && Whole(item[0]) is int first && Whole(item[1]) is int second ? (first, second) : throw Wrong(key, "pairs of whole numbers", item));
        }

        return list;
    }

    /// <summary>A list of strings.</summary>
    public IReadOnlyList<string>? Strings(string key)
    {
        if (Find(key) is not JsonElement e)
        {
            return null;
        }

        return e.ValueKind == JsonValueKind.Array
            ? [.. e.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong(key, "strings", item))]
            : throw Wrong(key, "a list of strings", e);
    }

    public FileFormatException Refuse(string key, string expected) =>
        new(_file, $"setting {_prefix}{key}: expected {expected}, got {(Find(key) is JsonElement e ? Shown(e) : "none")}");

    /// <summary>A whole number of 32 bits, however it is written: some writers put 8192.0 or 1e4.</summary>
    private static int? Whole(JsonElement e) =>
        e.ValueKind == JsonValueKind.Number && e.TryGetDouble(out double value) && value == Math.Floor(value) && Math.Abs(value) <= int.MaxValue ? (int)value : null;

    private static string Shown(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length <= 80 ? text : $"{text.AsSpan(0, 80)}…";
    }

    private JsonElement? Find(string key) => _object.TryGetProperty(key, out JsonElement e) && e.ValueKind != JsonValueKind.Null ? e : null;

    private FileFormatException Wrong(string key, string expected, JsonElement got) => new(_file, $"setting {_prefix}{key}: expected {expected}, got {Shown(got)}");
}
