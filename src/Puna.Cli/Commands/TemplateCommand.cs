using System.Globalization;
using System.Text.Json;
using Puna.Cli.Hosting;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.Tensors;
using Puna.Text.Chat;
using Puna.Text.Templates;

namespace Puna.Cli.Commands;

/// <summary><c>puna template</c>.</summary>
internal sealed class TemplateCommand : Command
{
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 256 };

    private static readonly ModelOptions Model = new(computes: false);
    private static readonly Option<string?> Template = Parsing.Options.Path("template", "F.jinja", "The template, in place of a model's", ValueHint.File);
    private static readonly Option<string?> File = Parsing.Options.Path("file", "F.jsonl", "Conversations: one JSON object per line; - is standard input", ValueHint.File);
    private static readonly Option<string?> Now = Parsing.Options.Text("now", "DATE", "The date that a template is told, as 2024-07-26 or 2024-07-26T13:05:00; now where absent");
    private static readonly Option<bool> Json = CommonOptions.Json("Print JSON objects, as without this option");

    /// <inheritdoc/>
    public override string Name => "template";

    /// <inheritdoc/>
    public override string Summary => "render conversations with a chat template";

    /// <inheritdoc/>
    public override string Description =>
        "Renders each line of a file with the chat template of a model, or one in a file, and prints {\"rendered\":\"...\"} or {\"error\":\"...\"} for it. A line is an object with "
        + "messages and, where wanted, tools and add_generation_prompt; its other members are variables of the template too. tools is none where absent, bos_token and eos_token are "
        + "<|begin_of_text|> and <|eot_id|>. Where the model has a template named tool_use, that one renders the lines with tools.\n\n"
        + "Templates are Jinja, and may come from anywhere: they reach nothing but these variables, and what they use up is limited.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [Model.Group, new("Input and output", Template, File, Now, Json)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna template --model Llama-3.2-1B-Instruct/ --file chats.jsonl", "With the model's template"),
        new("puna template --template chat.jinja --file chats.jsonl --now 2024-07-26", "With a template alone, on a given day"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        ParsedArguments args = context.Args;
        args.Exclude(Template, Model.Model);
        string path = args.Get(File) ?? throw new UsageException("option --file: expected a file of conversations, got none (see puna template --help)");
        DateTime? now = ReadDate(args.Get(Now));
        (string name, ChatTemplateSet templates) = ReadTemplates(context);
        ChatTemplate? plain = templates.Default is { } template ? ChatTemplate.Parse(template) : null;
        var file = new TextLines(path, isRaw: true);
        IEnumerable<string> lines;
        (int WithoutTools, int WithTools) first;
        if (path == TextLines.StandardInput)
        {
            lines = [.. file.Read()];
            first = Check(lines, path);
        }
        else
        {
            // Twice through the file, so that nothing is printed before an error.
            first = Check(file.Read(), path);
            lines = file.Read();
        }

        ChatTemplate? forTools = first.WithTools > 0 && templates.ToolUse is { } toolUse ? ChatTemplate.Parse(toolUse) : plain;
        Require(plain, first.WithoutTools, ChatTemplateSet.DefaultName);
        Require(forTools, first.WithTools, ChatTemplateSet.ToolUseName);
        foreach (string line in lines)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            context.Token.ThrowIfCancellationRequested();
            using JsonDocument variables = Prepare(line);
            using var output = new JsonOutput(context.Out);
            output.Writer.WriteStartObject();
            try
            {
                output.Writer.WriteString("rendered", (HasTools(variables.RootElement) ? forTools : plain)!.Render(variables.RootElement, now));
            }
            catch (TemplateException e)
            {
                output.Writer.WriteString("error", e.Error);
            }

            output.Writer.WriteEndObject();
        }

        return ExitCodes.Done;

        void Require(ChatTemplate? template, int line, string wanted)
        {
            if (template is null && line > 0)
            {
                throw new PunaException($"model {name}: expected a chat template named {wanted}, which line {line} is rendered with, got others alone");
            }
        }
    }

    private static (string Name, ChatTemplateSet Templates) ReadTemplates(CommandContext context)
    {
        if (context.Args.Get(Template) is string path)
        {
            // Jinja drops one final line break itself, so that a file's must reach it.
            return (path, ChatTemplateSet.Of(TextLines.ReadExactly(path)));
        }

        ModelSource source = new ModelLocator(context).Locate(context.Args.Get(Model.Model));
        ChatTemplateSet found = source.FindChatTemplates(map: !context.Args.Get(Model.NoMmap));
        return found.ByName.Count > 0 ? (source.Name, found) : throw new PunaException($"model {source.Name}: expected a chat template with it, got none");
    }

    private static DateTime? ReadDate(string? text)
    {
        if (text is null)
        {
            return null;
        }

        string[] forms = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss"];
        return DateTime.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime date)
            ? date : throw new UsageException($"option --now: expected a date such as 2024-07-26, got {UsageException.Quote(text)}");
    }

    // As the library has it: an empty list of tools is one too.
    private static bool HasTools(JsonElement line) => line.TryGetProperty("tools", out JsonElement tools) && tools.ValueKind != JsonValueKind.Null;

    /// <summary>Refuses what is no conversation.</summary>
    /// <returns>The first line without tools and the first with tools, counted from 1; 0 where there is none.</returns>
    private static (int WithoutTools, int WithTools) Check(IEnumerable<string> lines, string path)
    {
        int number = 0, withoutTools = 0, withTools = 0;
        foreach (string line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            try
            {
                using JsonDocument json = JsonDocument.Parse(line, Reading);
                if (json.RootElement.ValueKind != JsonValueKind.Object)
                {
                    throw new FileFormatException(path, $"line {number}: expected a JSON object, got {json.RootElement.ValueKind}");
                }

                if (!json.RootElement.TryGetProperty("messages", out JsonElement messages) || messages.ValueKind != JsonValueKind.Array)
                {
                    throw new FileFormatException(path, $"line {number}: expected a list \"messages\", got {(messages.ValueKind == JsonValueKind.Undefined ? "none" : messages.ValueKind.ToString())}");
                }

                if (HasTools(json.RootElement))
                {
                    withTools = withTools == 0 ? number : withTools;
                }
                else
                {
                    withoutTools = withoutTools == 0 ? number : withoutTools;
                }
            }
            catch (JsonException e)
            {
                throw new FileFormatException(path, $"line {number}: expected a JSON object, got something else at byte {e.BytePositionInLine}", inner: e);
            }
        }

        return (withoutTools, withTools);
    }

    /// <summary>The line's variables, with those that are given to every template.</summary>
    private static JsonDocument Prepare(string line)
    {
        string text = line.Trim();
        using JsonDocument json = JsonDocument.Parse(text, Reading);
        string added = Default("tools", "null") + Default("bos_token", "\"<|begin_of_text|>\"") + Default("eos_token", "\"<|eot_id|>\"");
        return JsonDocument.Parse("{" + added + text[1..], Reading);

        string Default(string name, string value) => json.RootElement.TryGetProperty(name, out _) ? "" : $"\"{name}\":{value},";
    }
}
