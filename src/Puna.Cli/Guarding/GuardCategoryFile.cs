using System.Text.Json;
using Puna.Cli.Hosting;
using Puna.Safety.LlamaGuard;
using Puna.Tensors;
using Puna.Text.Templates;

namespace Puna.Cli.Guarding;

/// <summary>Categories of a user's own: a JSON list of <c>{"code":"S1","name":...,"policy":...}</c>.</summary>
internal static class GuardCategoryFile
{
    /// <summary>Reads the file.</summary>
    /// <exception cref="PunaException">It is missing, or not such a list.</exception>
    public static IReadOnlyList<GuardCategory> Read(string path)
    {
        FileFormatException Wrong(string got, Exception? inner = null) => new(path, $"categories: expected a JSON list of objects with code and name, and perhaps policy, got {got}", inner: inner);
        try
        {
            using JsonDocument json = JsonDocument.Parse(TextLines.ReadAll(path), new JsonDocumentOptions { MaxDepth = 8 });
            if (json.RootElement.ValueKind != JsonValueKind.Array)
            {
                throw Wrong(json.RootElement.ValueKind.ToString());
            }

            var categories = new List<GuardCategory>();
            foreach (JsonElement item in json.RootElement.EnumerateArray())
            {
                string? Text(string key) => item.ValueKind == JsonValueKind.Object && item.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? JsonStrings.Read(value) : null;
                categories.Add(Text("code") is string code && Text("name") is string name ? new GuardCategory(code, name, Text("policy")) : throw Wrong(item.GetRawText()));
            }

            LlamaGuardCategories.Validate(categories);
            return categories;
        }
        catch (JsonException e)
        {
            throw Wrong($"something else in line {(e.LineNumber ?? 0) + 1}", e);
        }
    }
}
