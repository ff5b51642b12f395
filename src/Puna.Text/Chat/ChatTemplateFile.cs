using System.Text.Json;
using Puna.Tensors;

namespace Puna.Text.Chat;

/// <summary>Finds the chat template in a model folder of Hugging Face layout.</summary>
public static class ChatTemplateFile
{
    // A tokenizer_config.json lists added tokens and stays below a megabyte; templates are smaller still.
    private const long Longest = 16 << 20;

    /// <summary>
    /// The template in <c>chat_template.jinja</c>, else in <c>tokenizer_config.json</c> (of several named ones that named <c>default</c>), else in
    /// <c>chat_template.json</c>; null where there is none.
    /// </summary>
    /// <param name="folder">The model folder.</param>
    /// <exception cref="FileFormatException">A file is too long, or no JSON of the form expected.</exception>
    public static string? Find(string folder)
    {
        string plain = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(plain))
        {
            CheckLength(plain);
            return File.ReadAllText(plain);
        }

        return FromJson(Path.Combine(folder, "tokenizer_config.json")) ?? FromJson(Path.Combine(folder, "chat_template.json"));
    }

    private static string? FromJson(string file)
    {
        if (!File.Exists(file))
            return null;
        CheckLength(file);
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllText(file));
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw new FileFormatException(file, $"{Path.GetFileName(file)}: expected a JSON object, got {json.RootElement.ValueKind}");
            if (!json.RootElement.TryGetProperty("chat_template", out JsonElement template))
                return null;
            return template.ValueKind switch
            {
                JsonValueKind.Null => null,
                JsonValueKind.String => template.GetString(),
                JsonValueKind.Array => Default(template, file),
                JsonValueKind other => throw new FileFormatException(file, $"chat_template: expected a string or a list, got {other}"),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FileFormatException(file, $"{Path.GetFileName(file)}: expected JSON, got something else: {e.Message}", -1, e);
        }
    }

    private static string? Default(JsonElement list, string file)
    {
        foreach (JsonElement entry in list.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object
                || !entry.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String
                || !entry.TryGetProperty("template", out JsonElement template) || template.ValueKind != JsonValueKind.String)
            {
                throw new FileFormatException(file, "chat_template: expected entries with name and template, got something else");
            }

            if (name.ValueEquals("default"))
                return template.GetString();
        }

        return null;
    }

    private static void CheckLength(string file)
    {
        long length = new FileInfo(file).Length;
        if (length > Longest)
            throw new FileFormatException(file, $"{Path.GetFileName(file)}: expected at most {Longest} bytes, got {length}");
    }
}
