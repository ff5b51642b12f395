using System.Text;
using Puna.Cli.Parsing;

namespace Puna.Cli.Completions;

/// <summary>The completion script for PowerShell (5.1 and later, every system).</summary>
internal static class PowerShellCompletion
{
    /// <summary>Writes the script.</summary>
    public static string Script(IReadOnlyList<Command> commands)
    {
        var script = new StringBuilder();
        script.Append("# PowerShell completion for puna\n");
        script.Append("Register-ArgumentCompleter -Native -CommandName puna -ScriptBlock {\n");
        script.Append("    param($wordToComplete, $commandAst, $cursorPosition)\n");
        script.Append("    $commands = [ordered]@{\n");
        foreach (Command command in commands)
        {
            script.Append($"        {Quote(command.Name)} = {Quote(command.Summary)}\n");
        }

        script.Append("    }\n    $options = @{\n");
        foreach (Command command in commands)
        {
            script.Append($"        {Quote(command.Name)} = [ordered]@{{\n");
            foreach (Option option in command.Options)
            {
                script.Append($"            {Quote("--" + option.Name)} = {Quote(option.Summary)}\n");
            }

            script.Append("        }\n");
        }

        script.Append("    }\n    $values = @{\n");
        foreach (Command command in commands)
        {
            foreach (Option option in command.Options)
            {
                Values(script, $"{command.Name} --{option.Name}", CompletionValues.Of(option, commands));
            }

            if (command.Arguments.Count > 0)
            {
                Values(script, command.Name, CompletionValues.Of(command.Arguments[0], commands));
            }
        }

        script.Append("    }\n");
        script.Append(
            """
                $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
                if ($words.Count -lt 2) {
                    $found = @{}
                    foreach ($key in $commands.Keys) { $found[$key] = $commands[$key] }
                    $found['--help'] = 'Show the list of commands'
                    $found['--version'] = 'Show the version'
                } else {
                    $command = $words[1]
                    $previous = $words[$words.Count - 1]
                    $found = @{}
                    if ($values.ContainsKey("$command $previous")) {
                        foreach ($value in $values["$command $previous"]) { $found[$value] = $value }
                    } elseif ($wordToComplete -like '-*') {
                        if ($options.ContainsKey($command)) { foreach ($key in $options[$command].Keys) { $found[$key] = $options[$command][$key] } }
                    } elseif ($values.ContainsKey($command)) {
                        foreach ($value in $values[$command]) { $found[$value] = $value }
                    }
                }
                $found.Keys | Where-Object { $_ -like "$wordToComplete*" } | Sort-Object | ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $found[$_])
                }
            }

            """);
        return script.ToString();
    }

    private static void Values(StringBuilder script, string key, IReadOnlyList<string> words)
    {
        if (words.Count > 0)
        {
            script.Append($"        {Quote(key)} = @({string.Join(", ", words.Select(Quote))})\n");
        }
    }

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
