using System.Text.Json;
using Puna.Tensors;

namespace Puna.Text.Chat;

/// <summary>Finds the chat templates in a model folder of Hugging Face layout.</summary>
public static class ChatTemplateFile
{
    /// <summary>The folder, inside a model's, of the templates that have another name than <c>default</c>.</summary>
    public const string MoreFolder = "additional_chat_templates";

    /// <summary>How the files in it end; before that is the name of the template.</summary>
    public const string Extension = ".jinja";

    // A tokenizer_config.json lists added tokens and stays below a megabyte; templates are smaller still.
    private const long Longest = 16 << 20;

    // The library knows a handful of names.
    private const int Most = 64;

    /// <summary>The template named <c>default</c> of <see cref="FindAll"/>, or null.</summary>
    /// <param name="folder">The model folder.</param>
    /// <exception cref="FileFormatException">A file is too long, or no JSON of the form expected.</exception>
    public static string? Find(string folder) => FindAll(folder).Default;

    /// <summary>
    /// The templates in <c>chat_template.jinja</c> (the default) and <c>additional_chat_templates/NAME.jinja</c>; where there is no <c>chat_template.jinja</c>, also those in <c>tokenizer_config.json</c> and then
    /// in <c>chat_template.json</c>, of names not found before. What is in a JSON file is one template, the default, or a list of named ones.
    /// </summary>
    /// <param name="folder">The model folder.</param>
    /// <exception cref="FileFormatException">A file is too long, there are too many, or one is no JSON of the form expected.</exception>
    public static ChatTemplateSet FindAll(string folder)
    {
        var templates = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        string plain = Path.Combine(folder, "chat_template.jinja");
        bool isPlain = File.Exists(plain);
        if (isPlain)
            templates.Add(ChatTemplateSet.DefaultName, Read(plain));
        foreach (string file in MoreFiles(folder))
            templates.TryAdd(Path.GetFileNameWithoutExtension(file), Read(file));
        if (!isPlain)
        {
            AddFromJson(Path.Combine(folder, "tokenizer_config.json"), templates);
            AddFromJson(Path.Combine(folder, "chat_template.json"), templates);
        }

        return new ChatTemplateSet(templates);
    }

    /// <summary>The files of the templates that have another name than <c>default</c>, in the order of their names.</summary>
    /// <param name="folder">The model folder.</param>
    /// <exception cref="FileFormatException">There are too many.</exception>
    public static IReadOnlyList<string> MoreFiles(string folder)
    {
        string more = Path.Combine(folder, MoreFolder);
        if (!Directory.Exists(more))
            return [];
        string[] files = [.. Directory.EnumerateFiles(more, "*" + Extension).Where(static file => file.EndsWith(Extension, StringComparison.Ordinal)).Take(Most + 1)];
        if (files.Length > Most)
            throw new FileFormatException(more, $"{MoreFolder}: expected at most {Most} templates, got more");
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    private static void AddFromJson(string file, OrderedDictionary<string, string> templates)
    {
        if (!File.Exists(file))
            return;
        try
        {
            using JsonDocument json = JsonDocument.Parse(Read(file));
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw new FileFormatException(file, $"{Path.GetFileName(file)}: expected a JSON object, got {json.RootElement.ValueKind}");
            if (!json.RootElement.TryGetProperty("chat_template", out JsonElement template))
                return;
            switch (template.ValueKind)
            {
                case JsonValueKind.Null:
                    break;
                case JsonValueKind.String:
                    templates.TryAdd(ChatTemplateSet.DefaultName, template.GetString()!);
                    break;
                case JsonValueKind.Array:
                    foreach ((string name, string text) in Named(template, file).ByName)
                        templates.TryAdd(name, text);
                    break;
                case JsonValueKind other:
                    throw new FileFormatException(file, $"chat_template: expected a string or a list, got {other}");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FileFormatException(file, $"{Path.GetFileName(file)}: expected JSON, got something else: {e.Message}", -1, e);
        }
    }

    private static ChatTemplateSet Named(JsonElement list, string file)
    {
        var templates = new List<KeyValuePair<string, string>>();
        foreach (JsonElement entry in list.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object
                || !entry.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String
                || !entry.TryGetProperty("template", out JsonElement template) || template.ValueKind != JsonValueKind.String)
            {
                throw new FileFormatException(file, "chat_template: expected entries with name and template, got something else");
            }

            templates.Add(new(name.GetString()!, template.GetString()!));
        }

        return new ChatTemplateSet(templates);
    }

    private static string Read(string file)
    {
        long length = new FileInfo(file).Length;
        return length <= Longest ? File.ReadAllText(file) : throw new FileFormatException(file, $"{Path.GetFileName(file)}: expected at most {Longest} bytes, got {length}");
    }
}
