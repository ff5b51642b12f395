using System.Text;

namespace Puna.Cli.Parsing;

/// <summary>Writes the help pages, from the same definitions that the parser uses.</summary>
internal static class HelpText
{
    private const int WidestLeft = 26;

    /// <summary>The page of one command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="width">Columns of the terminal.</param>
    public static string Page(Command command, int width)
    {
        var page = new StringBuilder();
        Wrap(page, $"puna {command.Name}: {command.Summary}", 0, width);
        page.Append("\nUsage:\n");
        Wrap(page, Usage(command), 2, width, hanging: 4);
        page.Append('\n');
        Wrap(page, command.Description, 0, width);

        int left = Math.Min(WidestLeft, command.Options.Select(Left).Concat(command.Arguments.Select(static a => a.Name)).Max(static text => text.Length));
        if (command.Arguments.Count > 0)
        {
            page.Append("\nArguments:\n");
            foreach (Argument argument in command.Arguments)
            {
                Row(page, argument.Name, argument.Summary + Choices(argument.Choices), left, width);
            }
        }

        for (int i = 0; i < Math.Max(1, command.Groups.Count); i++)
        {
            OptionGroup group = i < command.Groups.Count ? command.Groups[i] : new OptionGroup("Options");
            page.Append('\n').Append(group.Title).Append(":\n");
            foreach (Option option in i >= command.Groups.Count - 1 ? group.Options.Append(Command.Help) : group.Options)
            {
                Row(page, Left(option), option.Summary + Details(option), left, width);
            }
        }

        if (command.Examples.Count > 0)
        {
            page.Append("\nExamples:\n");
            foreach (Example example in command.Examples)
            {
                page.Append("  ").Append(example.Line).Append('\n');
                Wrap(page, example.Says, 6, width);
            }
        }

        page.Append('\n');
        Wrap(page, ExitCodes, 0, width);
        return page.ToString();
    }

    /// <summary>The page that lists all commands.</summary>
    /// <param name="commands">The commands in the order of the page.</param>
    /// <param name="width">Columns of the terminal.</param>
    public static string Overview(IReadOnlyList<Command> commands, int width)
    {
        var page = new StringBuilder();
        Wrap(page, "puna: the Llama family on your own machine", 0, width);
        page.Append("\nUsage:\n  puna COMMAND [options]\n\nCommands:\n");
        int left = commands.Max(static c => c.Name.Length);
        foreach (Command command in commands)
        {
            Row(page, command.Name, command.Summary, left, width);
        }

        page.Append("\nOptions:\n");
        Row(page, "-h, --help", "Show this page; after a command, the page of that command", 10, width);
        Row(page, "--version", "Show the version", 10, width);
        page.Append("\nExamples:\n  puna run \"Once upon a time\"\n");
        Wrap(page, "Continue a story with the embedded model; nothing is downloaded", 6, width);
        page.Append("  puna help run\n");
        Wrap(page, "Everything the command run can do", 6, width);
        page.Append('\n');
        Wrap(page, ExitCodes, 0, width);
        return page.ToString();
    }

    private const string ExitCodes = "Exit codes: 0 done, 1 the work failed, 2 bad usage or bad input, 130 interrupted. An error is one line on standard error.";

    private static string Usage(Command command)
    {
        var usage = new StringBuilder("puna ").Append(command.Name).Append(" [options]");
        foreach (Argument argument in command.Arguments)
        {
            usage.Append(argument.IsRequired ? $" {argument.Name}" : $" [{argument.Name}]");
        }

        return usage.ToString();
    }

    private static string Left(Option option) =>
        $"{(option == Command.Help ? "-h, " : "")}--{option.Name}{(option.IsFlag ? "" : " " + option.ValueName)}";

    private static string Details(Option option)
    {
        string[] details =
        [
            .. option.Choices.Count > 0 ? [string.Join(", ", option.Choices)] : Array.Empty<string>(),
            .. option.RangeText is null ? Array.Empty<string>() : [option.RangeText],
            .. option.IsRepeatable ? ["may be repeated"] : Array.Empty<string>(),
            .. option.DefaultText is null ? Array.Empty<string>() : ["default: " + option.DefaultText],
        ];
        return details.Length == 0 ? "" : $" ({string.Join("; ", details)})";
    }

    private static string Choices(IReadOnlyList<string> choices) => choices.Count == 0 ? "" : $" ({string.Join(", ", choices)})";

    private static void Row(StringBuilder page, string left, string right, int leftWidth, int width)
    {
        const int Gap = 2;
        int indent = 2 + leftWidth + Gap;
        page.Append("  ").Append(left);
        if (left.Length > leftWidth)
        {
            page.Append('\n').Append(' ', indent);
        }
        else
        {
            page.Append(' ', leftWidth - left.Length + Gap);
        }

        Wrap(page, right, indent, width, indentFirst: false);
    }

    /// <summary>Appends text broken at spaces; line breaks in the text are kept.</summary>
    private static void Wrap(StringBuilder page, string text, int indent, int width, int? hanging = null, bool indentFirst = true)
    {
        foreach (string line in text.Split('\n'))
        {
            int column = 0;
            foreach (string word in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (column > 0 && column + 1 + word.Length > width)
                {
                    page.Append('\n').Append(' ', hanging ?? indent).Append(word);
                    column = (hanging ?? indent) + word.Length;
                }
                else if (column == 0)
                {
                    page.Append(' ', indentFirst ? indent : 0).Append(word);
                    column = indent + word.Length;
                }
                else
                {
                    page.Append(' ').Append(word);
                    column += 1 + word.Length;
                }
            }

            page.Append('\n');
            indentFirst = true;
        }
    }
}
