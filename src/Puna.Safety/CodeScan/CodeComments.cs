namespace Puna.Safety.CodeScan;

/// <summary>Blanks comments, so that what is only talked about is not found. Lines and columns stay; strings stay, for many rules look into them. One pass, whatever the code is.</summary>
internal static class CodeComments
{
    /// <summary>The code with spaces for comments, and for Python's strings that stand alone as documentation.</summary>
    public static string Blank(string code, CodeLanguage language)
    {
        char[] result = code.ToCharArray();
        for (int at = 0; at < code.Length;)
        {
            int end = Comment(code, at, language);
            if (end > at)
            {
                Clear(result, at, end);
            }
            else
            {
                end = Text(code, at, language);
                if (end > at + 6 && language == CodeLanguage.Python && IsTriple(code, at) && IsFirstOnLine(code, at))
                {
                    Clear(result, at, end);
                }

                end = end > at ? end : code[at] == '\\' ? Math.Min(code.Length, at + 2) : at + 1;
            }

            at = end;
        }

        return new string(result);
    }

    /// <summary>End of the comment that starts here; the place itself where none does.</summary>
    private static int Comment(string code, int at, CodeLanguage language)
    {
        bool isSlashes = language is CodeLanguage.C or CodeLanguage.CSharp or CodeLanguage.JavaScript;
        if ((isSlashes && Has(code, at, "//")) || (language == CodeLanguage.Sql && Has(code, at, "--"))
            || (code[at] == '#' && (language == CodeLanguage.Python || (language == CodeLanguage.Shell && (at == 0 || char.IsWhiteSpace(code[at - 1]) || code[at - 1] is ';' or '(')))))
        {
            int end = code.IndexOf('\n', at);
            return end < 0 ? code.Length : end;
        }

        if ((isSlashes || language == CodeLanguage.Sql) && Has(code, at, "/*"))
        {
            int end = code.IndexOf("*/", at + 2, StringComparison.Ordinal);
            return end < 0 ? code.Length : end + 2;
        }

        return at;
    }

    /// <summary>End of the string that starts here; the place itself where none does.</summary>
    private static int Text(string code, int at, CodeLanguage language)
    {
        char quote = code[at];
        if (quote is not ('"' or '\'') && !(quote == '`' && language == CodeLanguage.JavaScript))
        {
            return at;
        }

        if (language is CodeLanguage.Python or CodeLanguage.CSharp && IsTriple(code, at))
        {
            int end = code.IndexOf(new string(quote, 3), at + 3, StringComparison.Ordinal);
            return end < 0 ? code.Length : end + 3;
        }

        // C#'s verbatim strings, SQL's and the shell's single quotes know no backslash; these and templates may go over lines.
        bool isVerbatim = (language == CodeLanguage.CSharp && at > 0 && code[at - 1] == '@') || language == CodeLanguage.Sql || (language == CodeLanguage.Shell && quote == '\'');
        bool isLong = isVerbatim || quote == '`' || language == CodeLanguage.Shell;
        for (int i = at + 1; i < code.Length; i++)
        {
            if (code[i] == quote)
            {
                return i + 1;
            }

            if (code[i] == '\n' && !isLong)
            {
                return i;
            }

            i += code[i] == '\\' && !isVerbatim ? 1 : 0;
        }

        return code.Length;
    }

    private static bool IsTriple(string code, int at) => at + 2 < code.Length && code[at + 1] == code[at] && code[at + 2] == code[at];

    private static bool IsFirstOnLine(string code, int at)
    {
        while (at > 0 && code[at - 1] is ' ' or '\t')
        {
            at--;
        }

        return at == 0 || code[at - 1] == '\n';
    }

    private static bool Has(string code, int at, string mark) => string.CompareOrdinal(code, at, mark, 0, mark.Length) == 0;

    private static void Clear(char[] text, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            text[i] = text[i] is '\n' or '\r' ? text[i] : ' ';
        }
    }
}
