using System.Text;

namespace Puna.Text.Chat;

/// <summary>
/// Takes a Jinja template apart far enough to tell what it could ever write: the strings in its tags, and the text between them, white space
/// treated as chat templates are run (a line break after a block is dropped, blanks before a block on its line are dropped). It evaluates nothing.
/// </summary>
internal sealed class TemplateScanner
{
    private readonly HashSet<string> _strings = new(StringComparer.Ordinal);
    private readonly HashSet<string> _texts = new(StringComparer.Ordinal);
    private readonly StringBuilder _code = new();
    private readonly string _source;

    private TemplateScanner(string source) => _source = source;

    /// <summary>The string literals inside tags, escapes resolved.</summary>
    public IReadOnlySet<string> Strings => _strings;

    /// <summary>The texts between tags that are not empty.</summary>
    public IReadOnlySet<string> Texts => _texts;

    /// <summary>What is inside tags apart from strings.</summary>
    public string Code => _code.ToString();

    /// <summary>Scans a template; null where a tag or string does not end. Linear time.</summary>
    public static TemplateScanner? Scan(string source)
    {
        // The last line break of a template is dropped.
        var scanner = new TemplateScanner(source.EndsWith('\n') ? source[..^1] : source);
        return scanner.Run() ? scanner : null;
    }

    private bool Run()
    {
        int at = 0;
        bool trimStart = false, dropLineBreak = false;
        while (true)
        {
            int open = NextTag(at);
            int end = open < 0 ? _source.Length : open;
            bool trimEnd = open >= 0 && open + 2 < _source.Length && _source[open + 2] == '-';
            bool dropBlanks = open >= 0 && _source[open + 1] != '{' && !trimEnd;
            AddText(at, end, trimStart, dropLineBreak, trimEnd, dropBlanks);
            if (open < 0)
                return true;
            char kind = _source[open + 1];
            int close = kind == '#' ? _source.IndexOf("#}", open + 2, StringComparison.Ordinal) : EndOfTag(open + 2, kind == '{' ? '}' : '%');
            if (close < 0)
                return false;
            trimStart = _source[close - 1] == '-' && close > open + 2;
            dropLineBreak = kind != '{';
            at = close + 2;
        }
    }

    private int NextTag(int from)
    {
        for (int at = _source.IndexOf('{', from); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
        {
            if (_source[at + 1] is '{' or '%' or '#')
                return at;
        }

        return -1;
    }

    private int EndOfTag(int at, char mark)
    {
        while (at + 1 < _source.Length)
        {
            char c = _source[at];
            if (c == mark && _source[at + 1] == '}')
                return at;
            if (c is '\'' or '"')
            {
                at = AddString(at + 1, c);
                if (at < 0)
                    return -1;
                _code.Append("''");
            }
            else
            {
                _code.Append(c);
                at++;
            }
        }

        return -1;
    }

    private int AddString(int at, char quote)
    {
        var text = new StringBuilder();
        for (; at < _source.Length; at++)
        {
            char c = _source[at];
            if (c == quote)
            {
                _strings.Add(text.ToString());
                return at + 1;
            }

            if (c == '\\' && at + 1 < _source.Length)
            {
                at++;
                c = _source[at] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', char other => other };
            }

            text.Append(c);
        }

        return -1;
    }

    private void AddText(int start, int end, bool trimStart, bool dropLineBreak, bool trimEnd, bool dropBlanks)
    {
        if (trimStart)
        {
            while (start < end && char.IsWhiteSpace(_source[start]))
                start++;
        }
        else if (dropLineBreak && start < end && _source[start] == '\n')
        {
            start++;
        }

        if (trimEnd)
        {
            while (end > start && char.IsWhiteSpace(_source[end - 1]))
                end--;
        }
        else if (dropBlanks)
        {
            int blank = end;
            while (blank > start && _source[blank - 1] is ' ' or '\t')
                blank--;
            if (blank == 0 || _source[blank - 1] == '\n')
                end = blank;
        }

        if (end > start)
            _texts.Add(_source[start..end]);
    }
}
