using System.Diagnostics.CodeAnalysis;
using Puna.Formats.Gguf;
using Puna.Tensors;

namespace Puna.Text.Chat;

/// <summary>
/// The chat templates a model comes with, by name. Most have one, <c>default</c>; where one is called <c>tool_use</c>, it is the one for conversations with tools, as the library that
/// templates were made for has it. The others are kept and have no use here. Immutable.
/// </summary>
public sealed class ChatTemplateSet
{
    /// <summary>The name of the template for all conversations that have none of their own.</summary>
    public const string DefaultName = "default";

    /// <summary>The name of the template for conversations with tools.</summary>
    public const string ToolUseName = "tool_use";

    private const string Key = "tokenizer.chat_template";
    private const string NamesKey = "tokenizer.chat_templates";

    private readonly OrderedDictionary<string, string> _byName;

    /// <summary>A set of templates.</summary>
    /// <param name="templates">Names and templates; of several with one name the last counts.</param>
    public ChatTemplateSet(IEnumerable<KeyValuePair<string, string>> templates)
    {
        _byName = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, string template) in templates)
            _byName[name] = template;
    }

    /// <summary>No template.</summary>
    public static ChatTemplateSet Empty { get; } = new([]);

    /// <summary>The templates by their names, in the order they were found.</summary>
    public IReadOnlyDictionary<string, string> ByName => _byName;

    /// <summary>The template for all conversations that have none of their own, or null.</summary>
    public string? Default => _byName.GetValueOrDefault(DefaultName);

    /// <summary>The template for conversations with tools, or null where they have none of their own.</summary>
    public string? ToolUse => _byName.GetValueOrDefault(ToolUseName);

    /// <summary>A set of one template, the default; or of none.</summary>
    /// <param name="template">The template, or null.</param>
    public static ChatTemplateSet Of(string? template) => template is null ? Empty : new([new(DefaultName, template)]);

    /// <summary>The template of a conversation, or null where the set has none for it.</summary>
    /// <param name="hasTools">Whether the conversation has tools.</param>
    public string? For(bool hasTools) => (hasTools ? ToolUse : null) ?? Default;

    /// <summary>Reads <c>tokenizer.chat_template</c> and <c>tokenizer.chat_template.NAME</c>.</summary>
    /// <param name="metadata">The metadata of a GGUF file.</param>
    /// <exception cref="FileFormatException">One of them is no string.</exception>
    public static ChatTemplateSet Read(GgufMetadata metadata)
    {
        var templates = new List<KeyValuePair<string, string>>();
        if (metadata.GetString(Key) is { } only)
            templates.Add(new(DefaultName, only));
        foreach ((string key, GgufValue _) in metadata)
        {
            if (NameIn(key, templates.Count > 0 && templates[0].Key == DefaultName, out string? name))
                templates.Add(new(name, metadata.GetString(key)!));
        }

        return new ChatTemplateSet(templates);
    }

    /// <summary>
    /// Sets <c>tokenizer.chat_template</c>, and for others <c>tokenizer.chat_template.NAME</c> with the list <c>tokenizer.chat_templates</c>. Characters of names that keys do not have become <c>_</c>, as other
    /// writers of GGUF do it.
    /// </summary>
    /// <param name="metadata">Receives the keys.</param>
    public void Write(GgufMetadata metadata)
    {
        var names = new List<string>();
        foreach ((string name, string template) in _byName)
        {
            if (name == DefaultName)
            {
                metadata.Set(Key, template);
                continue;
            }

            string safe = string.Concat(name.Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
            if (safe.Length == 0)
                continue;
            metadata.Set($"{Key}.{safe}", template);
            if (!names.Contains(safe))
                names.Add(safe);
        }

        if (names.Count > 0)
            metadata.Set(NamesKey, names.ToArray());
    }

    // The plain key is the default's, whatever else is called so.
    private static bool NameIn(string key, bool hasDefault, [NotNullWhen(true)] out string? name)
    {
        name = key.StartsWith(Key + ".", StringComparison.Ordinal) ? key[(Key.Length + 1)..] : null;
        return name is { Length: > 0 } && !(hasDefault && name == DefaultName);
    }
}
