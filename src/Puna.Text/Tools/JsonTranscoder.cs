using System.Globalization;
using System.Text;

namespace Puna.Text.Tools;

/// <summary>
/// Reads one JSON value as it comes and writes it without white space and with as few escapes as there can be. Control characters inside strings, which JSON forbids and models write, are
/// taken for what they are; half a surrogate pair becomes U+FFFD.
/// </summary>
internal sealed class JsonTranscoder
{
    private readonly StringWriter _string;
    private readonly StringBuilder _word = new(); // a number or a literal
    private readonly Stack<char> _open = new();
    private Place _place = Place.Value;
    private bool _isKey;
    private int _digits;
    private int _unit;

    /// <summary>Begins a value.</summary>
    public JsonTranscoder() => _string = new StringWriter(Output);

    private enum Place
    {
        Value,
        ValueOrEnd,
        Key,
        KeyOrEnd,
        Colon,
        CommaOrEnd,
        Text,
        Escape,
        Unit,
        Word,
        Done,
    }

    /// <summary>What was written and not yet taken.</summary>
    public StringBuilder Output { get; } = new();

    /// <summary>A JSON object as this class writes it; null where the text is none.</summary>
    public static string? Canonical(string text)
    {
        var transcoder = new JsonTranscoder();
        int at = 0;
        ScanResult result = ScanResult.More;
        for (; at < text.Length && result == ScanResult.More; at++)
            result = transcoder.Push(text[at]);
        // An object is complete with its brace.
        return result == ScanResult.Complete && transcoder.Output[0] == '{' && string.IsNullOrWhiteSpace(text[at..]) ? transcoder.Output.ToString() : null;
    }

    /// <summary>Takes one character.</summary>
    public ScanResult Push(char c)
    {
        switch (_place)
        {
            case Place.Text:
                return InString(c);
            case Place.Escape:
                return InEscape(c);
            case Place.Unit:
                return InUnit(c);
            case Place.Word:
                return InWord(c);
            case Place.Done:
                return ScanResult.CompleteBefore;
        }

        if (c is ' ' or '\t' or '\n' or '\r')
            return ScanResult.More;
        switch (_place)
        {
            case Place.Colon:
                return c == ':' ? Go(Place.Value, ':') : ScanResult.Failed;
            case Place.Key or Place.KeyOrEnd:
                return c == '"' ? BeginString(isKey: true) : c == '}' && _place == Place.KeyOrEnd ? End(c) : ScanResult.Failed;
            case Place.CommaOrEnd:
                return c == ',' ? Go(_open.Peek() == '{' ? Place.Key : Place.Value, ',') : c == (_open.Peek() == '{' ? '}' : ']') ? End(c) : ScanResult.Failed;
            default:
                return c == ']' && _place == Place.ValueOrEnd ? End(c) : Begin(c);
        }
    }

    private ScanResult Begin(char c)
    {
        switch (c)
        {
            case '"':
                return BeginString(isKey: false);
            case '{' or '[':
                if (_open.Count >= CallMachine.MostDepth)
                    return ScanResult.Failed;
                _open.Push(c);
                return Go(c == '{' ? Place.KeyOrEnd : Place.ValueOrEnd, c);
            case '-' or (>= '0' and <= '9') or 't' or 'f' or 'n':
                _word.Append(c);
                _place = Place.Word;
                return ScanResult.More;
            default:
                return ScanResult.Failed;
        }
    }

    private ScanResult BeginString(bool isKey)
    {
        _isKey = isKey;
        return Go(Place.Text, '"');
    }

    private ScanResult InString(char c)
    {
        switch (c)
        {
            case '"':
                _string.End();
                Output.Append('"');
                return _isKey ? Go(Place.Colon) : AfterValue(ScanResult.Complete);
            case '\\':
                return Go(Place.Escape);
            default:
                _string.Add(c);
                return ScanResult.More;
        }
    }

    private ScanResult InEscape(char c)
    {
        if (c == 'u')
        {
            (_digits, _unit) = (0, 0);
            return Go(Place.Unit);
        }

        char meant = c switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', '"' or '\\' or '/' => c, _ => '\0' };
        if (meant == '\0')
            return ScanResult.Failed;
        _string.Add(meant);
        return Go(Place.Text);
    }

    private ScanResult InUnit(char c)
    {
        if (!char.IsAsciiHexDigit(c))
            return ScanResult.Failed;
        _unit = (_unit << 4) | int.Parse([c], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (++_digits < 4)
            return ScanResult.More;
        _string.Add((char)_unit);
        return Go(Place.Text);
    }

    private ScanResult InWord(char c)
    {
        if (char.IsAsciiLetterOrDigit(c) || c is '.' or '+' or '-')
        {
            _word.Append(c);
            // So that no word is longer than any that can be meant.
            return _word.Length <= 4400 ? ScanResult.More : ScanResult.Failed;
        }

        string word = _word.ToString();
        _word.Clear();
        if (word is not ("true" or "false" or "null") && !IsNumber(word))
            return ScanResult.Failed;
        Output.Append(word);
        ScanResult result = AfterValue(ScanResult.CompleteBefore);
        return result == ScanResult.More ? Push(c) : result;
    }

    private ScanResult End(char c)
    {
        _open.Pop();
        Output.Append(c);
        return AfterValue(ScanResult.Complete);
    }

    private ScanResult AfterValue(ScanResult whole)
    {
        _place = _open.Count == 0 ? Place.Done : Place.CommaOrEnd;
        return _open.Count == 0 ? whole : ScanResult.More;
    }

    private ScanResult Go(Place place, char write = '\0')
    {
        _place = place;
        if (write != '\0')
            Output.Append(write);
        return ScanResult.More;
    }

    // -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?
    private static bool IsNumber(string text)
    {
        int at = text[0] == '-' ? 1 : 0;
        int whole = Digits(text, ref at);
        if (whole == 0 || (whole > 1 && text[at - whole] == '0'))
            return false;
        if (at < text.Length && text[at] == '.')
        {
            at++;
            if (Digits(text, ref at) == 0)
                return false;
        }

        if (at < text.Length && text[at] is 'e' or 'E')
        {
            at++;
            at += at < text.Length && text[at] is '+' or '-' ? 1 : 0;
            if (Digits(text, ref at) == 0)
                return false;
        }

        return at == text.Length;
    }

    private static int Digits(string text, ref int at)
    {
        int start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
            at++;
        return at - start;
    }

    /// <summary>Writes the inside of a JSON string.</summary>
    internal sealed class StringWriter(StringBuilder output)
    {
        private char _high;

        /// <summary>Adds a UTF-16 unit; half a pair waits for the other.</summary>
        public void Add(char c)
        {
            if (_high != '\0')
            {
                char high = _high;
                _high = '\0';
                if (char.IsLowSurrogate(c))
                {
                    output.Append(high).Append(c);
                    return;
                }

                output.Append('\uFFFD');
            }

            if (char.IsHighSurrogate(c))
                _high = c;
            else
                Write(char.IsLowSurrogate(c) ? '\uFFFD' : c);
        }

        /// <summary>Ends the string.</summary>
        public void End()
        {
            if (_high != '\0')
                output.Append('\uFFFD');
            _high = '\0';
        }

        private void Write(char c)
        {
            _ = c switch
            {
                '"' => output.Append("\\\""),
                '\\' => output.Append("\\\\"),
                '\n' => output.Append("\\n"),
                '\r' => output.Append("\\r"),
                '\t' => output.Append("\\t"),
                '\f' => output.Append("\\f"),
                '\b' => output.Append("\\b"),
                < ' ' => output.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => output.Append(c),
            };
        }
    }
}
