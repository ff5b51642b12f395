using System.Buffers;
using System.Text.Json;

namespace Puna.Hub;

/// <summary>What is written beside an unfinished download: enough to know that bytes to come belong to the bytes that are here.</summary>
/// <param name="Size">Size of the whole file.</param>
/// <param name="Sha256">Its checksum, or null.</param>
/// <param name="Tag">Strong entity tag of the answer that the bytes came from, or null.</param>
internal sealed record PartialNote(long? Size, string? Sha256, string? Tag)
{
    /// <summary>Whether a download may go on at all: a later mismatch would be noticed.</summary>
    public bool CanResume => Sha256 is not null || Tag is not null;

    public byte[] Write()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        if (Size is { } size) writer.WriteNumber("size", size);
        if (Sha256 is not null) writer.WriteString("sha256", Sha256);
        if (Tag is not null) writer.WriteString("etag", Tag);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a note; null when it is not one.</summary>
    public static PartialNote? Read(byte[]? json)
    {
        if (json is null) return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return null;
            bool sized = root.TryGetProperty("size", out JsonElement number) && number.ValueKind == JsonValueKind.Number;
            long? size = sized && number.TryGetInt64(out long value) ? value : null;
            return new PartialNote(size, Text(root, "sha256"), Text(root, "etag") is { } tag && IsTag(tag) ? tag : null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    // It goes back into a request header.
    private static bool IsTag(string tag)
    {
        if (tag.Length is < 2 or > 1000 || tag[0] != '"' || tag[^1] != '"') return false;
        foreach (char c in tag.AsSpan(1, tag.Length - 2))
        {
            if (c is <= ' ' or > '~' or '"') return false;
        }

        return true;
    }
}
