using System.Text.Json;
using Puna.Tensors;

namespace Puna.Text.HuggingFace;

/// <summary>A small section of a <c>tokenizer.json</c> with the names and types its reader expects; what is missing or of another kind is an error that names it.</summary>
/// <param name="Json">The value.</param>
/// <param name="Name">What to call it in messages.</param>
/// <param name="File">Path for messages.</param>
internal readonly record struct JsonSection(JsonElement Json, string Name, string File)
{
    /// <summary>Whether the value is absent or null.</summary>
    public bool IsNull => Json.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    /// <summary>The value of <c>type</c>.</summary>
    public string Type => Text("type") ?? throw Error("a type", "none");

    /// <summary>A member; <see cref="IsNull"/> where it is absent.</summary>
    public JsonSection this[string member] => Json.ValueKind == JsonValueKind.Object
        ? new JsonSection(Json.TryGetProperty(member, out JsonElement value) ? value : default, $"{Name}.{member}", File)
        : throw Error("an object", Json.ValueKind.ToString());

    /// <summary>A text, or null where it is absent or null.</summary>
    public string? Text(string member) => this[member] is { IsNull: false } value
        ? value.Json.ValueKind == JsonValueKind.String ? value.String() : throw value.Error("a string", value.Json.ValueKind.ToString())
        : null;

    /// <summary>A truth value, or the default where it is absent or null.</summary>
    public bool Flag(string member, bool absent) => this[member] is { IsNull: false } value
        ? value.Json.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => throw value.Error("true or false", value.Json.ValueKind.ToString()) }
        : absent;

    /// <summary>An integer from 0 to <paramref name="most"/>, or null where it is absent or null.</summary>
    public int? Integer(string member, int most = int.MaxValue) => this[member] is { IsNull: false } value
        ? value.Json.ValueKind == JsonValueKind.Number && value.Json.TryGetInt32(out int number) && number >= 0 && number <= most
            ? number
            : throw value.Error($"an integer from 0 to {most}", value.Json.GetRawText())
        : null;

    /// <summary>The elements of an array, none where it is absent or null.</summary>
    public IEnumerable<JsonSection> Items()
    {
        if (IsNull)
        {
            yield break;
        }

        if (Json.ValueKind != JsonValueKind.Array)
        {
            throw Error("an array", Json.ValueKind.ToString());
        }

        int index = 0;
        foreach (JsonElement item in Json.EnumerateArray())
        {
            yield return new JsonSection(item, $"{Name}[{index++}]", File);
        }
    }

    /// <summary>Fails where a member is there and not what is understood.</summary>
    public void Only(string member, string understood)
    {
        JsonSection value = this[member];
        if (!value.IsNull && value.Json.GetRawText() != understood)
        {
            throw value.Error(understood, value.Json.GetRawText());
        }
    }

    /// <summary>The value, which is a string.</summary>
    public string String()
    {
        try
        {
            return Json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Error("whole characters", "half a surrogate pair");
        }
    }

    /// <summary>An error at this value.</summary>
    public FileFormatException Error(string expected, string got) => new(File, $"{Name}: expected {expected}, got {got}");

    /// <summary>The value as JSON text; <c>null</c> where it is absent.</summary>
    public override string ToString() => IsNull ? "null" : Json.GetRawText();
}
