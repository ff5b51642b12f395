namespace Puna.Safety.CodeScan;

/// <summary>Names of languages, and guesses where code comes without one.</summary>
public static class CodeLanguages
{
    private static readonly (CodeLanguage Language, string[] Names)[] Known =
    [
        (CodeLanguage.Python, ["python", "py", "python3", "py3", "ipython"]),
        (CodeLanguage.C, ["c", "h", "cpp", "c++", "cc", "cxx", "hpp", "objc", "objective-c"]),
        (CodeLanguage.CSharp, ["csharp", "cs", "c#", "dotnet", "razor", "cshtml"]),
        (CodeLanguage.JavaScript, ["javascript", "js", "jsx", "mjs", "cjs", "node", "typescript", "ts", "tsx", "vue"]),
        (CodeLanguage.Sql, ["sql", "mysql", "mariadb", "postgresql", "postgres", "psql", "plpgsql", "tsql", "t-sql", "plsql", "sqlite"]),
        (CodeLanguage.Shell, ["shell", "sh", "bash", "zsh", "ksh", "console", "terminal", "shell-session", "shellsession"]),
    ];

    // What a line of each language tends to have; ordinary text has little of it.
    private static readonly (CodeLanguage Language, string[] Signs)[] Signs =
    [
        (CodeLanguage.Python, ["def ", "import ", "elif ", "self.", "print(", "except", "lambda ", "__name__", "None", "True", "False", "os.", "yaml.", "pickle.", "subprocess."]),
        (CodeLanguage.C, ["#include", "int main", "char *", "char ", "printf(", "malloc(", "sizeof", "NULL", "void ", "struct ", "gets(", "strcpy("]),
        (CodeLanguage.CSharp, ["using System", "namespace ", "public class", "public static", "Console.", "string ", "var ", " new ", "=> ", "async Task", "private readonly", "Process.Start"]),
        (CodeLanguage.JavaScript, ["const ", "let ", "function ", "function(", "=>", "require(", "console.", "document.", "===", "module.exports", "await ", "export "]),
        (CodeLanguage.Sql, ["SELECT ", "INSERT INTO", "CREATE TABLE", "CREATE USER", "UPDATE ", "DELETE FROM", "GRANT ", "EXEC ", "ALTER ", " FROM ", " WHERE "]),
        (CodeLanguage.Shell, ["#!/bin/", "#!/usr/bin/env bash", "sudo ", "curl ", "wget ", "echo ", "export ", "fi\n", "done\n", "apt-get ", "chmod ", "rm -", "| sh", "| bash", "$1"]),
    ];

    /// <summary>All names, in the order of <see cref="CodeLanguage"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(static k => k.Names[0])];

    /// <summary>The name of a language.</summary>
    public static string Name(this CodeLanguage language) => Names[(int)language];

    /// <summary>The language of a name, as code blocks and file endings have it; letter case does not matter.</summary>
    public static CodeLanguage? Find(string name)
    {
        foreach ((CodeLanguage language, string[] names) in Known)
        {
            if (names.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                return language;
            }
        }

        return null;
    }

    /// <summary>The language that code without a name seems to be in: the one of which it has most signs; null where it has none.</summary>
    public static CodeLanguage? Guess(string code)
    {
        CodeLanguage? best = null;
        int most = 0;
        foreach ((CodeLanguage language, string[] signs) in Signs)
        {
            int found = signs.Count(sign => code.Contains(sign, StringComparison.Ordinal));
            if (found > most)
            {
                (best, most) = (language, found);
            }
        }

        return best;
    }
}
