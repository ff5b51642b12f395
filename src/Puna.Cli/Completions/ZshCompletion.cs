using System.Text;
using Puna.Cli.Parsing;

namespace Puna.Cli.Completions;

/// <summary>The completion script for zsh: to be put into a folder of <c>fpath</c> as <c>_puna</c>, or sourced.</summary>
internal static class ZshCompletion
{
    /// <summary>Writes the script.</summary>
    public static string Script(IReadOnlyList<Command> commands)
    {
        var script = new StringBuilder();
        script.Append("#compdef puna\n# zsh completion for puna\n_puna() {\n");
        script.Append("    if (( CURRENT == 2 )); then\n        local -a commands=(\n");
        foreach (Command command in commands)
        {
            script.Append($"            {Quote($"{command.Name}:{command.Summary}")}\n");
        }

        script.Append("            '--help:show the list of commands'\n            '--version:show the version'\n");
        script.Append("        )\n        _describe -t commands 'puna command' commands\n        return\n    fi\n");
        script.Append("    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in\n");
        foreach (Command command in commands)
        {
            script.Append($"        {command.Name})\n            _arguments -S");
            foreach (Option option in command.Options)
            {
                // A star before the name says that the option may come again.
                string spec = $"{(option.IsRepeatable ? "*" : "")}--{option.Name}{(option.IsFlag ? "" : "=")}[{Escape(option.Summary)}]";
                string value = option.IsFlag ? "" : $":{Escape(option.ValueName!)}:{Action(CompletionValues.Of(option, commands), option.Hint)}";
                script.Append($" \\\n                {Quote(spec + value)}");
            }

            foreach (Argument argument in command.Arguments)
            {
                script.Append($" \\\n                {Quote($":{Escape(argument.Name)}:{Action(CompletionValues.Of(argument, commands), argument.Hint)}")}");
            }

            script.Append("\n            ;;\n");
        }

        script.Append("    esac\n}\n");
        script.Append("if [ \"$funcstack[1]\" = \"_puna\" ]; then _puna \"$@\"; else compdef _puna puna; fi\n");
        return script.ToString();
    }

    private static string Action(IReadOnlyList<string> words, ValueHint hint) =>
        hint == ValueHint.Model ? $"{{_files; compadd {string.Join(' ', words)}}}"
        : hint == ValueHint.Folder ? "_files -/"
        : hint == ValueHint.File ? "_files"
        : words.Count > 0 ? $"({string.Join(' ', words)})"
        : " ";

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal)
            .Replace("]", "\\]", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
