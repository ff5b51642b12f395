using System.Globalization;
using System.Numerics;
using System.Text;
using Puna.Text.Chat;

namespace Puna.Text.Templates;

/// <summary>
/// Splits a Jinja template into tokens, as Jinja 3 does it with <c>trim_blocks</c> and <c>lstrip_blocks</c>: a line break after a block is dropped, and so are
/// blanks before a block on its line. Linear time.
/// </summary>
internal sealed class TemplateLexer
{
    private static readonly string[] Operators = ["//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"];

    private readonly List<TemplateToken> _tokens = [];
    private readonly string _source;
    private int _at;
    private int _line = 1;
    private int _counted;
    private bool _startsLine = true;

    private TemplateLexer(string source) => _source = source;

    /// <summary>The tokens of a template, the last of kind <see cref="TokenKind.End"/>.</summary>
    public static List<TemplateToken> Split(string source)
    {
        string lines = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new TemplateLexer(lines.EndsWith('\n') ? lines[..^1] : lines);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        while (_at < _source.Length)
        {
            int open = NextTag(_at);
            if (open < 0)
            {
                Add(TokenKind.Data, _source[_at..], null, _at);
                _at = _source.Length;
                break;
            }

            char kind = _source[open + 1];
            int after = open + 2;
            char sign = after < _source.Length && _source[after] is '-' or '+' ? _source[after++] : ' ';
            int raw = kind == '%' ? RawBegin(after) : -1;
            AddData(_at, open, sign, kind == '{');
            _startsLine = false;
            if (raw >= 0)
                Raw(raw);
            else if (kind == '#')
                Comment(after);
            else
                Tag(open, after, kind == '%');
        }

        Add(TokenKind.End, "", null, _source.Length);
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

    private void AddData(int start, int end, char sign, bool isVariable)
    {
        int stop = end;
        if (sign == '-')
        {
            while (stop > start && PythonText.IsSpace(_source[stop - 1]))
                stop--;
        }
        else if (sign != '+' && !isVariable)
        {
            int line = end > start ? _source.LastIndexOf('\n', end - 1, end - start) + 1 : 0;
            if (line > 0 || _startsLine)
            {
                line = line > 0 ? line : start;
                int blank = end;
                while (blank > line && PythonText.IsSpace(_source[blank - 1]))
                    blank--;
                stop = blank == line ? line : end;
            }
        }

        if (stop > start)
            Add(TokenKind.Data, _source[start..stop], null, start);
    }

    /// <summary>Where a raw block begins at the word after a tag's opening: the first character of its text, otherwise -1.</summary>
    private int RawBegin(int at)
    {
        at = SkipSpace(at);
        if (string.CompareOrdinal(_source, at, "raw", 0, 3) != 0)
            return -1;
        at = SkipSpace(at + 3);
        if (string.CompareOrdinal(_source, at, "-%}", 0, 3) == 0)
            return SkipSpace(at + 3);
        return string.CompareOrdinal(_source, at, "%}", 0, 2) == 0 ? at + 2 : -1;
    }

    private void Raw(int start)
    {
        for (int open = _source.IndexOf("{%", start, StringComparison.Ordinal); open >= 0; open = _source.IndexOf("{%", open + 2, StringComparison.Ordinal))
        {
            int at = open + 2;
            char sign = at < _source.Length && _source[at] is '-' or '+' ? _source[at++] : ' ';
            at = SkipSpace(at);
            if (string.CompareOrdinal(_source, at, "endraw", 0, 6) != 0)
                continue;
            at = SkipSpace(at + 6);
            int end = BlockEnd(at);
            if (end < 0)
                continue;
            _startsLine = start > 0 && _source[start - 1] == '\n';
            AddData(start, open, sign, false);
            MoveTo(end);
            return;
        }

        throw Wrong("Missing end of raw directive", start);
    }

    private void Comment(int start)
    {
        int close = _source.IndexOf("#}", start, StringComparison.Ordinal);
        if (close < 0)
            throw Wrong("Missing end of comment tag", start);
        char sign = close > start ? _source[close - 1] : ' ';
        int end = close + 2;
        if (sign == '-')
            end = SkipSpace(end);
        else if (sign != '+' && end < _source.Length && _source[end] == '\n')
            end++;
        MoveTo(end);
    }

    /// <summary>Where a block's end at this place leads, or -1 where there is none.</summary>
    private int BlockEnd(int at)
    {
        if (string.CompareOrdinal(_source, at, "+%}", 0, 3) == 0)
            return at + 3;
        if (string.CompareOrdinal(_source, at, "-%}", 0, 3) == 0)
            return SkipSpace(at + 3);
        if (string.CompareOrdinal(_source, at, "%}", 0, 2) != 0)
            return -1;
        return at + 2 < _source.Length && _source[at + 2] == '\n' ? at + 3 : at + 2;
    }

    private int VariableEnd(int at)
    {
        if (string.CompareOrdinal(_source, at, "-}}", 0, 3) == 0)
            return SkipSpace(at + 3);
        return string.CompareOrdinal(_source, at, "}}", 0, 2) == 0 ? at + 2 : -1;
    }

    private void Tag(int open, int at, bool isBlock)
    {
        Add(isBlock ? TokenKind.BlockBegin : TokenKind.VariableBegin, isBlock ? "{%" : "{{", null, open);
        var brackets = new Stack<char>();
        while (at < _source.Length)
        {
            int end = brackets.Count > 0 ? -1 : isBlock ? BlockEnd(at) : VariableEnd(at);
            if (end >= 0)
            {
                Add(isBlock ? TokenKind.BlockEnd : TokenKind.VariableEnd, isBlock ? "%}" : "}}", null, at);
                MoveTo(end);
                return;
            }

            char c = _source[at];
            if (PythonText.IsSpace(c))
                at++;
            else if (char.IsAsciiDigit(c))
                at = Number(at);
            else if (c == '_' || char.IsLetterOrDigit(c))
                at = Name(at);
            else if (c is '\'' or '"' && StringEnd(at) is int close and > 0)
                at = Literal(at, close);
            else
                at = Operator(at, brackets);
        }

        // Jinja notices at the end of the template that a tag is not closed.
        _at = _source.Length;
    }

    private int Name(int at)
    {
        int start = at;
        while (at < _source.Length && (_source[at] == '_' || char.IsLetterOrDigit(_source[at])))
            at++;
        Add(TokenKind.Name, _source[start..at], null, start);
        return at;
    }

    private int Number(int at)
    {
        int digits = Digits(at, char.IsAsciiDigit);
        int end = digits;
        bool isFloat = false;
        bool follows = at > 0 && _source[at - 1] == '.';
        if (!follows && end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]))
        {
            end = Digits(end + 1, char.IsAsciiDigit);
            isFloat = true;
        }

        if (!follows && end < _source.Length && _source[end] is 'e' or 'E')
        {
            int exponent = end + 1 < _source.Length && _source[end + 1] is '+' or '-' ? end + 2 : end + 1;
            if (exponent < _source.Length && char.IsAsciiDigit(_source[exponent]))
            {
                end = Digits(exponent, char.IsAsciiDigit);
                isFloat = true;
            }
        }

        if (isFloat)
        {
            string text = _source[at..end].Replace("_", "", StringComparison.Ordinal);
            Add(TokenKind.Number, text, double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture), at);
            return end;
        }

        return Integer(at, digits);
    }

    private int Integer(int at, int end)
    {
        int radix = _source[at] != '0' || at + 1 >= _source.Length ? 10 : char.ToLowerInvariant(_source[at + 1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 };
        Func<char, bool> isDigit = radix switch { 16 => char.IsAsciiHexDigit, 8 => static c => c is >= '0' and <= '7', _ => static c => c is '0' or '1' };
        int first = at + 2;
        if (radix != 10 && first < _source.Length && (isDigit(_source[first]) || (_source[first] == '_' && first + 1 < _source.Length && isDigit(_source[first + 1]))))
        {
            end = Digits(first, isDigit);
            BigInteger value = BigInteger.Zero;
            CheckDigits(end - first, at);
            foreach (char c in _source.AsSpan(first..end))
            {
                if (c != '_')
                    value = (value * radix) + Convert.ToInt32(c.ToString(), 16);
            }

            Add(TokenKind.Number, _source[at..end], value, at);
            return end;
        }

        if (_source[at] == '0')
            end = Digits(at, static c => c == '0'); // a zero in front of other digits is a number of its own
        CheckDigits(end - at, at);
        string text = _source[at..end].Replace("_", "", StringComparison.Ordinal);
        Add(TokenKind.Number, text, BigInteger.Parse(text, CultureInfo.InvariantCulture), at);
        return end;
    }

    private void CheckDigits(int count, int at)
    {
        if (count > 4300)
            throw Wrong($"Exceeds the limit (4300 digits) for integer string conversion: value has {count} digits", at);
    }

    private int Digits(int at, Func<char, bool> isDigit)
    {
        while (at < _source.Length && (isDigit(_source[at]) || (_source[at] == '_' && at + 1 < _source.Length && isDigit(_source[at + 1]))))
            at++;
        return at;
    }

    /// <summary>Index of the quote that ends a string, or -1.</summary>
    private int StringEnd(int at)
    {
        char quote = _source[at];
        for (int i = at + 1; i < _source.Length; i++)
        {
            if (_source[i] == quote)
                return i;
            if (_source[i] == '\\')
                i++;
        }

        return -1;
    }

    private int Literal(int at, int close)
    {
        ReadOnlySpan<char> raw = _source.AsSpan(at + 1, close - at - 1);
        if (raw.Contains('\\'))
            Add(TokenKind.String, Unescape(raw, at), null, at);
        else
            Add(TokenKind.String, raw.ToString(), null, at);
        return close + 1;
    }

    // Python's "unicode-escape".
    private string Unescape(ReadOnlySpan<char> raw, int place)
    {
        var text = new StringBuilder(raw.Length);
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }

            char c = raw[++i];
            int digits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
            if (digits > 0)
            {
                if (i + digits >= raw.Length || !uint.TryParse(raw.Slice(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint code))
                    throw Wrong($"truncated \\{c}{new string('X', digits)} escape", place);
                if (code > 0x10FFFF)
                    throw Wrong("illegal Unicode character", place);
                text.Append(code < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32((int)code));
                i += digits;
            }
            else if (c is >= '0' and <= '7')
            {
                int end = i, code = 0;
                while (end < raw.Length && end < i + 3 && raw[end] is >= '0' and <= '7')
                    code = (code * 8) + raw[end++] - '0';
                text.Append((char)code);
                i = end - 1;
            }
            else
            {
                text.Append(c switch
                {
                    '\n' => "", '\\' => "\\", '\'' => "'", '"' => "\"", 'a' => "\a", 'b' => "\b", 'f' => "\f", 'n' => "\n", 'r' => "\r", 't' => "\t", 'v' => "\v",
                    'N' => throw Wrong("malformed \\N character escape", place),
                    _ => "\\" + c,
                });
            }
        }

        return text.ToString();
    }

    private int Operator(int at, Stack<char> brackets)
    {
        foreach (string op in Operators)
        {
            if (string.CompareOrdinal(_source, at, op, 0, op.Length) != 0)
                continue;
            char c = op[0];
            if (op is "(" or "[" or "{")
            {
                brackets.Push(c == '(' ? ')' : c == '[' ? ']' : '}');
            }
            else if (op is ")" or "]" or "}")
            {
                if (brackets.Count == 0)
                    throw Wrong($"unexpected '{op}'", at);
                char expected = brackets.Pop();
                if (expected != c)
                    throw Wrong($"unexpected '{op}', expected '{expected}'", at);
            }

            Add(TokenKind.Operator, op, null, at);
            return at + op.Length;
        }

        throw Wrong($"unexpected char {PythonRepr.Quote(_source[at].ToString())} at {at}", at);
    }

    private int SkipSpace(int at)
    {
        while (at < _source.Length && PythonText.IsSpace(_source[at]))
            at++;
        return at;
    }

    private void MoveTo(int end)
    {
        _at = end;
        _startsLine = _source[end - 1] == '\n';
    }

    private int LineAt(int at)
    {
        if (at > _counted)
        {
            _line += _source.AsSpan(_counted, at - _counted).Count('\n');
            _counted = at;
        }

        return _line;
    }

    private void Add(TokenKind kind, string text, object? value, int at) => _tokens.Add(new TemplateToken(kind, text, value, LineAt(at)));

    private TemplateException Wrong(string message, int at) => new("TemplateSyntaxError", message, LineAt(at));
}
