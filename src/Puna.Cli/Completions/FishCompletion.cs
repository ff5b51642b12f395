using System.Text;
using Puna.Cli.Parsing;

namespace Puna.Cli.Completions;

/// <summary>The completion script for fish.</summary>
internal static class FishCompletion
{
    /// <summary>Writes the script.</summary>
    public static string Script(IReadOnlyList<Command> commands)
    {
        var script = new StringBuilder();
        script.Append("# fish completion for puna\n");
        script.Append("function __puna_is\n    set -l words (commandline -opc)\n");
        script.Append("    if test (count $words) -lt 2\n        test (count $argv) -eq 0\n        return\n    end\n");
        script.Append("    test (count $argv) -eq 1; and test \"$words[2]\" = \"$argv[1]\"\nend\n");
        script.Append("complete -c puna -f\n");
        script.Append("complete -c puna -n __puna_is -l help -s h -d 'Show the list of commands'\n");
        script.Append("complete -c puna -n __puna_is -l version -d 'Show the version'\n");
        foreach (Command command in commands)
        {
            script.Append($"complete -c puna -n __puna_is -a {command.Name} -d {Quote(command.Summary)}\n");
        }

        foreach (Command command in commands)
        {
            string line = $"complete -c puna -n '__puna_is {command.Name}'";
            foreach (Option option in command.Options)
            {
                script.Append($"{line} -l {option.Name}{(option == Command.Help ? " -s h" : "")}");
                if (!option.IsFlag)
                {
                    script.Append(" -r").Append(Values(CompletionValues.Of(option, commands), option.Hint));
                }

                script.Append($" -d {Quote(option.Summary)}\n");
            }

            if (command.Arguments.Count > 0)
            {
                string values = Values(CompletionValues.Of(command.Arguments[0], commands), command.Arguments[0].Hint);
                script.Append(values.Length > 0 ? line + values + "\n" : "");
            }
        }

        return script.ToString();
    }

    private static string Values(IReadOnlyList<string> words, ValueHint hint) =>
        (CompletionValues.TakesFiles(hint) ? " -F" : "") + (words.Count > 0 ? $" -a {Quote(string.Join(' ', words))}" : "");

    private static string Quote(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
