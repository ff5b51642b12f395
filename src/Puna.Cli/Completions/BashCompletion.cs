using System.Text;
using Puna.Cli.Parsing;

namespace Puna.Cli.Completions;

/// <summary>The completion script for bash (3.2 and later, without the bash-completion package).</summary>
internal static class BashCompletion
{
    /// <summary>Writes the script.</summary>
    public static string Script(IReadOnlyList<Command> commands)
    {
        var script = new StringBuilder();
        script.Append("# bash completion for puna; use it with: source <(puna completion bash)\n");
        script.Append("_puna() {\n");
        script.Append("    local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" command=\"${COMP_WORDS[1]}\"\n");
        script.Append("    COMPREPLY=()\n");
        script.Append("    if [ \"$COMP_CWORD\" -eq 1 ]; then\n");
        script.Append($"        COMPREPLY=($(compgen -W \"{string.Join(' ', commands.Select(static c => c.Name))} --help --version\" -- \"$cur\"))\n");
        script.Append("        return\n    fi\n");
        script.Append("    # bash splits --option=value at the equals sign\n");
        script.Append("    if [ \"$cur\" = \"=\" ]; then cur=\"\"; elif [ \"$prev\" = \"=\" ]; then prev=\"${COMP_WORDS[COMP_CWORD-2]}\"; fi\n");

        script.Append("    case \"$command $prev\" in\n");
        foreach (Command command in commands)
        {
            foreach (Option option in command.Options.Where(static o => !o.IsFlag))
            {
                IReadOnlyList<string> words = CompletionValues.Of(option, commands);
                script.Append($"        '{command.Name} --{option.Name}') ");
                Reply(script, words, CompletionValues.TakesFiles(option.Hint));
                script.Append("return ;;\n");
            }
        }

        script.Append("    esac\n");
        script.Append("    case \"$command\" in\n");
        foreach (Command command in commands)
        {
            script.Append($"        {command.Name})\n");
            script.Append("            case \"$cur\" in\n");
            script.Append($"                -*) COMPREPLY=($(compgen -W \"{string.Join(' ', command.Options.Select(static o => "--" + o.Name))}\" -- \"$cur\")) ;;\n");
            script.Append("                *) ");
            Argument? argument = command.Arguments.FirstOrDefault();
            Reply(script, argument is null ? [] : CompletionValues.Of(argument, commands), argument is not null && CompletionValues.TakesFiles(argument.Hint));
            script.Append(";;\n            esac ;;\n");
        }

        script.Append("    esac\n}\n");
        script.Append("complete -F _puna puna\n");
        return script.ToString();
    }

    private static void Reply(StringBuilder script, IReadOnlyList<string> words, bool files)
    {
        if (files)
        {
            // Lets readline treat the reply as file names, so that spaces are quoted and folders get a slash.
            script.Append("compopt -o filenames 2>/dev/null; local IFS=$'\\n'; ");
            script.Append($"COMPREPLY=($(compgen -f -- \"$cur\"){(words.Count > 0 ? $" $(compgen -W $'{string.Join("\\n", words)}' -- \"$cur\")" : "")}); ");
        }
        else if (words.Count > 0)
        {
            script.Append($"COMPREPLY=($(compgen -W \"{string.Join(' ', words)}\" -- \"$cur\")); ");
        }
    }
}
