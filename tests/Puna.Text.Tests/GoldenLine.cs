using System.Text.Json;

namespace Puna.Text.Tests;

/// <summary>One line of a tokenizer golden: a text and what a reference implementation makes of it.</summary>
public sealed record GoldenLine(string Text, int[] Ids, int[]? IdsSpecialAllowed, int[]? IdsSpecial, string? Decoded)
{
    public static List<GoldenLine> Read(string path)
    {
        var lines = new List<GoldenLine>();
        foreach (string line in File.ReadLines(path))
        {
            using JsonDocument json = JsonDocument.Parse(line);
            JsonElement root = json.RootElement;
            lines.Add(new GoldenLine(root.GetProperty("text").GetString()!, IdsOf(root, "ids")!, IdsOf(root, "ids_special_allowed"), IdsOf(root, "ids_special"),
                root.TryGetProperty("decoded", out JsonElement decoded) ? decoded.GetString() : null));
        }

        Assert.NotEmpty(lines);
        return lines;
    }

    private static int[]? IdsOf(JsonElement root, string key) => root.TryGetProperty(key, out JsonElement ids) ? [.. ids.EnumerateArray().Select(static x => x.GetInt32())] : null;

    /// <summary>Asserts that every line passes; names the first that does not, and how many.</summary>
    public static void All(List<GoldenLine> lines, Func<GoldenLine, string?> check)
    {
        var wrong = lines.Select(l => (l.Text, Wrong: check(l))).Where(static w => w.Wrong is not null).ToList();
        Assert.True(wrong.Count == 0, wrong.Count == 0 ? "" : $"{wrong.Count} of {lines.Count} lines; first {JsonSerializer.Serialize(wrong[0].Text)}: {wrong[0].Wrong}");
    }

    /// <summary>Null where the ids are equal, else both.</summary>
    public static string? Differ(int[] expected, int[] got) =>
        expected.AsSpan().SequenceEqual(got) ? null : $"expected [{string.Join(' ', expected)}], got [{string.Join(' ', got)}]";

    /// <summary>Null where the texts are equal, else both.</summary>
    public static string? Differ(string expected, string got) =>
        string.Equals(expected, got, StringComparison.Ordinal) ? null : $"expected {JsonSerializer.Serialize(expected)}, got {JsonSerializer.Serialize(got)}";
}
