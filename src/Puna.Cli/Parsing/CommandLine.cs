namespace Puna.Cli.Parsing;

/// <summary>
/// Reads the arguments of a command: <c>--name value</c>, <c>--name=value</c>, flags, and arguments that have a place. <c>--</c> ends the options. No
/// argument is ever a file to read more arguments from, and no character of a value has a meaning.
/// </summary>
internal static class CommandLine
{
    /// <summary>Whether <paramref name="text"/> asks for the help page.</summary>
    public static bool IsHelp(string text) => text is "--help" or "-h";

    /// <summary>Reads <paramref name="args"/>, which do not include the command's own name.</summary>
    /// <exception cref="UsageException">Something unknown, missing, or out of its range.</exception>
    public static ParsedArguments Parse(Command command, ReadOnlySpan<string> args)
    {
        var parsed = new ParsedArguments();
        int place = 0;
        bool onlyArguments = false;
        for (int i = 0; i < args.Length; i++)
        {
            string text = args[i];
            if (onlyArguments || !LooksLikeOption(text))
            {
                AddArgument(command, parsed, place++, text);
            }
            else if (text == "--")
            {
                onlyArguments = true;
            }
            else if (IsHelp(text))
            {
                parsed.Add(Command.Help, true);
                return parsed;
            }
            else
            {
                i += AddOption(command, parsed, text, i + 1 < args.Length ? args[i + 1] : null);
            }
        }

        if (place < command.Arguments.Count && command.Arguments[place].IsRequired)
        {
            throw Wrong(command, $"{command.Arguments[place].Name} is missing");
        }

        return parsed;
    }

    // A dash alone, before a space or before a digit begins no option: standard input, a list item, a negative number.
    private static bool LooksLikeOption(string text) => text.Length > 1 && text[0] == '-' && (text[1] == '-' || char.IsAsciiLetter(text[1]));

    private static void AddArgument(Command command, ParsedArguments parsed, int place, string text)
    {
        if (place >= command.Arguments.Count)
        {
            string? hint = command.Arguments.Count > 0 ? command.Arguments[^1].ExtraHint : null;
            throw Wrong(command, $"unexpected argument {UsageException.Quote(text)}{(hint is null ? "" : ": " + hint)}");
        }

        Argument argument = command.Arguments[place];
        if (argument.Choices.Count > 0)
        {
            try
            {
                text = Options.Choose(text, argument.Choices);
            }
            catch (UsageException e)
            {
                throw Wrong(command, $"{argument.Name}: {e.Message}, got {UsageException.Quote(text)}");
            }
        }

        parsed.Add(argument, text);
    }

    /// <returns>How many further arguments the option took: 0 or 1.</returns>
    private static int AddOption(Command command, ParsedArguments parsed, string text, string? next)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? text : text[..equals];
        Option option = Find(command, name);
        if (option.IsFlag)
        {
            parsed.Add(option, equals < 0 ? true : throw Wrong(command, $"option {name} takes no value"));
            return 0;
        }

        if (equals >= 0)
        {
            parsed.Add(option, option.Read(text[(equals + 1)..]));
            return 0;
        }

        if (next is null || (!option.IsData && (next.StartsWith("--", StringComparison.Ordinal) || IsHelp(next))))
        {
            throw Wrong(command, $"option {name} needs a value: {name} {option.ValueName}");
        }

        parsed.Add(option, option.Read(next));
        return 1;
    }

    private static Option Find(Command command, string name)
    {
        foreach (Option option in command.Options)
        {
            if (name.Length > 2 && name.AsSpan(2).SequenceEqual(option.Name) && name[1] == '-')
            {
                return option;
            }
        }

        string? near = Suggestions.Nearest(name.TrimStart('-'), command.Options.Select(static o => o.Name));
        string data = command.Arguments.Count > 0 ? $"; a {command.Arguments[0].Name} that starts with a dash goes after --" : "";
        throw Wrong(command, $"unknown option {UsageException.Quote(name)}{(near is null ? data : $", did you mean --{near}?")}");
    }

    private static UsageException Wrong(Command command, string message) => new($"{message} (see puna {command.Name} --help)");
}
