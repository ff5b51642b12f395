using System.Text.Json;
using System.Text.RegularExpressions;
using Puna.Tensors;

namespace Puna.Safety.CodeScan;

/// <summary>The scanner's rules, which are data: <c>rules.json</c> inside this assembly, or a file of the same form.</summary>
public static class CodeRules
{
    // Without backtracking a match takes time in proportion to the text. Patterns that would need backtracking (looking around, back references) are refused when they are read.
    private const RegexOptions Linear = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Multiline;

    private static readonly Lazy<IReadOnlyList<CodeRule>> Embedded = new(static () =>
    {
        using Stream stream = typeof(CodeRules).Assembly.GetManifestResourceStream("rules.json")!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return Read(bytes.ToArray(), "rules.json");
    });

    /// <summary>The rules of this assembly.</summary>
    public static IReadOnlyList<CodeRule> BuiltIn => Embedded.Value;

    /// <summary>Reads rules.</summary>
    /// <param name="json">A list of objects with <c>id</c>, <c>languages</c>, <c>cwe</c>, <c>severity</c> (<c>warn</c> or <c>block</c>), <c>title</c>, <c>advice</c>, <c>pattern</c>, and perhaps <c>unless</c>, <c>example</c>, <c>fixed</c>.</param>
    /// <param name="file">Path for messages.</param>
    /// <exception cref="FileFormatException">The file is malformed, or a pattern is not understood.</exception>
    public static IReadOnlyList<CodeRule> Read(ReadOnlyMemory<byte> json, string file)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            var rules = new List<CodeRule>();
            var ids = new HashSet<string>(StringComparer.Ordinal);
            foreach (JsonElement item in document.RootElement.EnumerateArray())
            {
                CodeRule rule = ReadRule(item, file, rules.Count);
                rules.Add(ids.Add(rule.Id) ? rule : throw new FileFormatException(file, $"rule {rule.Id}: expected once, got it again"));
            }

            return rules;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FileFormatException(file, $"rules: expected a JSON list of objects, got {e.Message}", inner: e);
        }
    }

    private static CodeRule ReadRule(JsonElement item, string file, int index)
    {
        string id = item.TryGetProperty("id", out JsonElement name) && name.ValueKind == JsonValueKind.String ? name.GetString()! : throw new FileFormatException(file, $"rule {index}: expected an id, got none");

        FileFormatException Wrong(string key, string expected, string got) => new(file, $"rule {id}: {key}: expected {expected}, got {got}");

        string Text(string key, string? absent = null) => item.TryGetProperty(key, out JsonElement value)
            ? value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(key, "a text", value.GetRawText())
            : absent ?? throw Wrong(key, "a text", "none");

        Regex Pattern(string key, string pattern)
        {
            try
            {
                return new Regex(pattern, Linear);
            }
            catch (Exception e) when (e is ArgumentException or NotSupportedException)
            {
                throw Wrong(key, "a regular expression without looking around or back references", e.Message);
            }
        }

        var languages = new List<CodeLanguage>();
        foreach (JsonElement language in item.TryGetProperty("languages", out JsonElement list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : throw Wrong("languages", "a list", "none"))
        {
            languages.Add(CodeLanguages.Find(language.GetString() ?? "") ?? throw Wrong("languages", string.Join(", ", CodeLanguages.Names), language.GetRawText()));
        }

        int cwe = item.TryGetProperty("cwe", out JsonElement number) && number.TryGetInt32(out int value) && value > 0 ? value : throw Wrong("cwe", "a number", "none");
        CodeSeverity severity = Text("severity") switch { "warn" => CodeSeverity.Warn, "block" => CodeSeverity.Block, string other => throw Wrong("severity", "warn or block", other) };
        string unless = Text("unless", "");
        return new CodeRule(
            id, languages, cwe, severity, Text("title"), Text("advice"), Pattern("pattern", Text("pattern")), unless.Length > 0 ? Pattern("unless", unless) : null, Text("example", ""), Text("fixed", ""));
    }
}
