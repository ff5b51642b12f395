using System.Globalization;
using System.Text.RegularExpressions;
using Puna.Text.Tools;

namespace Puna.Text.Chat;

/// <summary>
/// Finds a model's chat format. What says that a model is made for conversation is the template it comes with; the tokens in its vocabulary do not,
/// since base models of Llama 3 have the same. Only where there is no template are the names of Meta's own models gone by.
/// </summary>
public static partial class ChatFormats
{
    // Marks of formats that are not known here, most telling first.
    private static readonly (string Mark, string Name)[] Others =
    [
        ("<|header_start|>", "Llama 4"),
        ("<start_of_turn>", "Gemma"),
        ("<|start_of_role|>", "Granite"),
        ("<|START_OF_TURN_TOKEN|>", "Command R"),
        ("<｜User｜>", "DeepSeek"),
        ("<|im_start|>", "a variant of ChatML"),
        ("<|start_header_id|>", "a variant of Llama 3"),
        ("GPT4 Correct User", "OpenChat"),
        ("<|end|>", "Phi"),
        ("[INST]", "Mistral"),
        ("### Instruction", "Alpaca"),
        ("USER:", "Vicuna"),
        ("<|user|>", "a variant of Zephyr"),
    ];

    private static readonly HashSet<string> Words = new(StringComparer.Ordinal) { "role", "content", "system", "user", "assistant", "\n", "\n\n", "" };

    /// <summary>
    /// Finds the format of a model by all of its templates: a layout that is not known here is that of the template, where it can be run, and conversations with tools are laid out by the template that the
    /// model has for them (<see cref="ChatFormat.ForTools"/>).
    /// </summary>
    /// <param name="templates">The templates it comes with.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="hints">What else is known of it.</param>
    public static ChatDetection Find(ChatTemplateSet templates, Tokenizer tokenizer, ChatHints? hints = null)
    {
        ChatDetection found = Detect(templates.Default, tokenizer, hints);
        // Classifiers are no partners for a conversation.
        if (found.UnknownName is { } unknown && templates.Default is { } template && !IsClassifier(template) && TemplateChatFormat.TryCreate(template, tokenizer) is { } run)
            found = new ChatDetection(run, null, $"chat format: {run.Name} ({unknown})");
        if (found.Format is not { } format || templates.ToolUse is not { } toolUse)
            return found;
        return FromToolUse(toolUse, tokenizer, hints) is { } forTools
            ? found with { Format = format.With(forTools), Explanation = $"{found.Explanation}; with tools, its template {ChatTemplateSet.ToolUseName}" }
            : found with { Explanation = $"{found.Explanation}; its template {ChatTemplateSet.ToolUseName} cannot be run, and has no effect" };
    }

    /// <summary>Finds the format of a template.</summary>
    /// <param name="chatTemplate">The Jinja template it comes with (<c>tokenizer.chat_template</c> of a GGUF file, or see <see cref="ChatTemplateFile"/>), or null.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="hints">What else is known of it.</param>
    public static ChatDetection Detect(string? chatTemplate, Tokenizer tokenizer, ChatHints? hints = null)
    {
        ChatFormat? format;
        string name;
        if (!string.IsNullOrWhiteSpace(chatTemplate))
        {
            format = FromTemplate(chatTemplate, tokenizer, hints ?? new());
            name = format?.Name ?? NameOfUnknown(chatTemplate);
        }
        else
        {
            format = FromName(hints ?? new(), tokenizer);
            if (format is null)
                return ChatDetection.None(Llama3ChatFormat.Llama31.Fits(tokenizer));
            name = format.Name;
        }

        return format is null ? ChatDetection.Unknown(name)
            : format.Fits(tokenizer) ? ChatDetection.Known(format)
            : ChatDetection.Unknown($"{name}, whose control tokens the tokenizer lacks");
    }

    // A layout known here that tells tools as its template does splits what the template refuses; others that resemble the template do not tell them at all.
    private static ChatFormat? FromToolUse(string template, Tokenizer tokenizer, ChatHints? hints) =>
        Detect(template, tokenizer, hints).Format is Llama3ChatFormat { IsPublished: true } published ? published : TemplateChatFormat.TryCreate(template, tokenizer, forTools: true);

    private static ChatFormat? FromTemplate(string template, Tokenizer tokenizer, ChatHints hints)
    {
        if (IsClassifier(template) || TemplateScanner.Scan(template) is not { } scan)
            return null;
        if (template.Contains("<|start_header_id|>", StringComparison.Ordinal))
            return Llama3(scan, hints);
        if (template.Contains("<<SYS>>", StringComparison.Ordinal) && template.Contains("[INST]", StringComparison.Ordinal))
            return tokenizer.Roles.FimPrefix is null ? Llama2ChatFormat.Llama2 : Llama2ChatFormat.CodeLlama;
        if (template.Contains("Source: ", StringComparison.Ordinal) && template.Contains("<step>", StringComparison.Ordinal))
            return CodeLlama70BChatFormat.Instance;
        if (template.Contains("<|im_start|>", StringComparison.Ordinal))
            return ChatMl(scan, tokenizer);
        return Zephyr(scan, tokenizer);
    }

    private static ChatFormat? Llama3(TemplateScanner scan, ChatHints hints)
    {
        const string Dates = "Cutting Knowledge Date: December 2023\n";
        // A template that lays out pictures is followed as it stands.
        if (scan.Texts.Count > 0 || scan.Strings.Any(static text => text.Contains(ImageTokens.Image, StringComparison.Ordinal)))
            return null;
        if (scan.Strings.Contains(Dates))
        {
            DateOnly today = hints.Today ?? DateOnly.FromDateTime(DateTime.Now);
            return Llama3ChatFormat.Published(
                scan.Strings.Contains("%d %b %Y") ? Llama3ChatFormat.FormatDate(today) : scan.Strings.FirstOrDefault(IsDate) ?? Llama3ChatFormat.DefaultDate,
                scan.Code.Contains("builtin_tools", StringComparison.Ordinal));
        }

        string[] frame = ["<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>", "<|start_header_id|>assistant<|end_header_id|>\n\n", "<|begin_of_text|>"];
        return !OnlyWrites(scan, frame) ? null : Trims(scan) ? Llama3ChatFormat.Llama3 : Llama3ChatFormat.Llama31;
    }

    private static ChatMlChatFormat? ChatMl(TemplateScanner scan, Tokenizer tokenizer)
    {
        const string System = "<|im_start|>system\n", End = "<|im_end|>";
        string[] frame = ["<|im_start|>", End, End + "\n", "<|im_start|>assistant\n", "<|im_start|>user\n", System];
        string? preset = null;
        foreach (string text in scan.Strings)
        {
            if (Words.Contains(text) || frame.Contains(text, StringComparer.Ordinal))
                continue;
            // A system message for conversations without one is the only other thing it may write.
            string trimmed = text.EndsWith('\n') ? text[..^1] : text;
            if (preset is not null || !trimmed.StartsWith(System, StringComparison.Ordinal) || !trimmed.EndsWith(End, StringComparison.Ordinal))
                return null;
            preset = trimmed[System.Length..^End.Length];
        }

        if (scan.Texts.Count > 0 || !scan.Strings.Contains("<|im_start|>assistant\n") || preset?.Contains("<|im_", StringComparison.Ordinal) == true)
            return null;
        bool hasBos = scan.Code.Contains("bos_token", StringComparison.Ordinal) && tokenizer.BosId is not null;
        return new ChatMlChatFormat(hasBos ? tokenizer.Piece(tokenizer.BosId!.Value) : null, preset, Trims(scan));
    }

    private static ZephyrChatFormat? Zephyr(TemplateScanner scan, Tokenizer tokenizer)
    {
        string[] frame = ["<|user|>\n", "<|system|>\n", "<|assistant|>\n", "<|assistant|>"];
        // The line break after a message is text in some templates and a string in others.
        bool breaks = scan.Texts.Count == 0 ? scan.Strings.Contains("\n") : scan.Texts.Count == 1 && scan.Texts.Contains("\n") && !scan.Strings.Contains("\n");
        return breaks && frame[..3].All(scan.Strings.Contains) && scan.Strings.All(s => Words.Contains(s) || frame.Contains(s, StringComparer.Ordinal))
            && scan.Code.Contains("eos_token", StringComparison.Ordinal) && !scan.Code.Contains("bos_token", StringComparison.Ordinal) && !Trims(scan)
            && tokenizer.IdOf("<|user|>") is null
            ? ZephyrChatFormat.Instance : null;
    }

    private static ChatFormat? FromName(ChatHints hints, Tokenizer tokenizer)
    {
        string name = hints.Name ?? "";
        name = name.Length > 300 ? name[..300] : name;
        if (Llama3Name().Match(name) is { Success: true } llama3)
        {
            // Meta's own: 3.1 was made for calls in JSON, the later ones for lists of calls.
            return llama3.Groups["minor"].Value switch
            {
                "" => Llama3ChatFormat.Llama3,
                ".1" => Llama3ChatFormat.Llama31.WithTools(ToolStyle.Json, hints.Today),
                _ => Llama3ChatFormat.Llama31.WithTools(ToolStyle.Pythonic, hints.Today),
            };
        }

        if (Llama4Name().IsMatch(name))
            return Llama4ChatFormat.Instance;
        if (CodeLlamaName().IsMatch(name))
            return CodeLlama70BChatFormat.Instance.Fits(tokenizer) ? CodeLlama70BChatFormat.Instance : Llama2ChatFormat.CodeLlama;
        return Llama2Name().IsMatch(name) ? Llama2ChatFormat.Llama2 : null;
    }

    private static string NameOfUnknown(string template)
    {
        if (IsClassifier(template))
            return "Llama Guard, a classifier";
        foreach ((string mark, string name) in Others)
        {
            if (template.Contains(mark, StringComparison.Ordinal))
                return name;
        }

        return "a template of an unknown kind";
    }

    /// <summary>Whether a template asks for a verdict on a conversation instead of a reply.</summary>
    public static bool IsClassifier(string template) => template.Contains("unsafe content in", StringComparison.Ordinal);

    private static bool OnlyWrites(TemplateScanner scan, string[] frame) =>
        scan.Texts.Count == 0 && scan.Strings.All(s => Words.Contains(s) || frame.Contains(s, StringComparer.Ordinal));

    private static bool Trims(TemplateScanner scan) =>
        scan.Code.Contains("trim", StringComparison.Ordinal) || scan.Code.Contains(".strip()", StringComparison.Ordinal);

    private static bool IsDate(string text) => DateOnly.TryParseExact(text, "dd MMM yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    [GeneratedRegex(@"(?<![a-z])llama[-_ ]?3(?<minor>\.[1-3])?[-_ ][0-9]+b[-_ ](vision[-_ ])?instruct", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Llama3Name();

    [GeneratedRegex(@"(?<![a-z])llama[-_ ]?4[-_ ](scout|maverick)[-_ ][0-9]+b[-_ ][0-9]+e[-_ ]instruct", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Llama4Name();

    [GeneratedRegex(@"(?<![a-z])code[-_ ]?llama[-_ ][0-9]+b[-_ ]instruct", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CodeLlamaName();

    [GeneratedRegex(@"(?<![a-z])llama[-_ ]?2[-_ ][0-9]+b[-_ ]chat", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Llama2Name();
}
