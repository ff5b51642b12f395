using System.Globalization;
using System.Numerics;
using System.Text;

namespace Puna.Text.Tools;

/// <summary>
/// Reads one literal of Python as it comes, or of JSON, and writes it as JSON. Literals of strings one after the other are one string; one value in parentheses is that value; a key of a dict may be
/// a name, as Meta's encoder writes it.
/// </summary>
internal sealed class PythonTranscoder
{
    private readonly JsonTranscoder.StringWriter _string;
    private readonly StringBuilder _word = new();
    private readonly Stack<Frame> _open = new();
    private Place _place = Place.Value;
    private char _quote;
    private bool _isKey;
    private int _digits;
    private int _code;
    private int _undecided; // parentheses that may be a tuple or not

    /// <summary>Begins a value.</summary>
    public PythonTranscoder() => _string = new JsonTranscoder.StringWriter(Output);

    private enum Place
    {
        Value,
        ValueOrEnd,
        KeyOrEnd,
        KeyName,
        AfterKeyName,
        AfterKey,
        CommaOrEnd,
        Text,
        Escape,
        Code,
        AfterText,
        Word,
        Done,
    }

    /// <summary>What was written.</summary>
    public StringBuilder Output { get; } = new();

    /// <summary>Whether <see cref="Output"/> will stay as it is and may be taken.</summary>
    public bool IsCertain => _undecided == 0;

    /// <summary>Takes one character.</summary>
    public ScanResult Push(char c)
    {
        switch (_place)
        {
            case Place.Text:
                return InText(c);
            case Place.Escape:
                return InEscape(c);
            case Place.Code:
                return InCode(c);
            case Place.AfterText:
                return AfterText(c);
            case Place.Word:
                return InWord(c);
            case Place.KeyName or Place.AfterKeyName:
                return InKeyName(c);
            case Place.Done:
                return ScanResult.CompleteBefore;
        }

        if (char.IsWhiteSpace(c))
            return ScanResult.More;
        switch (_place)
        {
            case Place.KeyOrEnd:
                return c == '}' ? End() : BeginKey(c);
            case Place.AfterKey:
                if (c != ':')
                    return ScanResult.Failed;
                Output.Append(':');
                return Go(Place.Value);
            case Place.CommaOrEnd:
                return c == ',' ? Comma() : c == Closing(_open.Peek().Open) ? End() : ScanResult.Failed;
            default:
                return _place == Place.ValueOrEnd && c == Closing(_open.Peek().Open) ? End() : Begin(c);
        }
    }

    private static char Closing(char open) => open switch { '[' => ']', '(' => ')', _ => '}' };

    private static bool IsNameStart(char c) => char.IsLetter(c) || c == '_';

    private static bool IsNamePart(char c) => char.IsLetterOrDigit(c) || c is '_' or '-' or '.';

    private ScanResult Begin(char c)
    {
        Count();
        switch (c)
        {
            case '"' or '\'':
                return BeginText(c, isKey: false);
            case '[' or '{' or '(':
                if (_open.Count >= CallMachine.MostDepth)
                    return ScanResult.Failed;
                _open.Push(new Frame { Open = c, At = Output.Length });
                if (c == '(')
                    _undecided++;
                else
                    Output.Append(c);
                return Go(c == '{' ? Place.KeyOrEnd : Place.ValueOrEnd);
            case '-' or '+' or '.' or (>= '0' and <= '9'):
                return Extend(Place.Word, c);
            default:
                return IsNameStart(c) ? Extend(Place.Word, c) : ScanResult.Failed;
        }
    }

    private ScanResult BeginKey(char c)
    {
        bool isText = c is '"' or '\'';
        if (!isText && !IsNameStart(c))
            return ScanResult.Failed;
        Count();
        return isText ? BeginText(c, isKey: true) : Extend(Place.KeyName, c);
    }

    // A comma may be the last one: it is written with what follows it.
    private void Count()
    {
        if (_open.TryPeek(out Frame? frame) && _place != Place.Value && frame.Items++ > 0)
            Output.Append(',');
    }

    private ScanResult Comma()
    {
        Frame frame = _open.Peek();
        if (frame.Open == '(' && !frame.IsTuple)
        {
            frame.IsTuple = true;
            Output.Insert(frame.At, '[');
            _undecided--;
        }

        return Go(frame.Open == '{' ? Place.KeyOrEnd : Place.ValueOrEnd);
    }

    private ScanResult End()
    {
        Frame frame = _open.Pop();
        if (frame.Open == '(' && !frame.IsTuple)
        {
            _undecided--;
            if (frame.Items == 0)
                Output.Append("[]");
        }
        else
        {
            Output.Append(frame.Open == '{' ? '}' : ']');
        }

        return AfterValue(ScanResult.Complete);
    }

    private ScanResult BeginText(char quote, bool isKey)
    {
        (_quote, _isKey) = (quote, isKey);
        Output.Append('"');
        return Go(Place.Text);
    }

    private ScanResult InText(char c)
    {
        if (c == _quote)
            return Go(Place.AfterText);
        if (c == '\\')
            return Go(Place.Escape);
        _string.Add(c);
        return ScanResult.More;
    }

    private ScanResult InEscape(char c)
    {
        _digits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        _code = 0;
        if (_digits > 0)
            return Go(Place.Code);
        switch (c)
        {
            case '\n':
                break;
            case 'n' or 't' or 'r' or 'b' or 'f' or 'a' or 'v' or '0' or '\\' or '\'' or '"' or '/':
                _string.Add(c switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', 'a' => '\a', 'v' => '\v', '0' => '\0', _ => c });
                break;
            default:
                _string.Add('\\');
                _string.Add(c);
                break;
        }

        return Go(Place.Text);
    }

    private ScanResult InCode(char c)
    {
        if (!char.IsAsciiHexDigit(c) || _code > 0x10FFF)
            return ScanResult.Failed;
        _code = (_code << 4) | int.Parse([c], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (--_digits > 0)
            return ScanResult.More;
        if (_code < 0x10000)
        {
            _string.Add((char)_code);
        }
        else
        {
            foreach (char unit in char.ConvertFromUtf32(_code))
                _string.Add(unit);
        }

        return Go(Place.Text);
    }

    private ScanResult AfterText(char c)
    {
        if (char.IsWhiteSpace(c))
            return ScanResult.More;
        if (c is '"' or '\'')
        {
            _quote = c;
            return Go(Place.Text);
        }

        _string.End();
        Output.Append('"');
        if (_isKey)
        {
            _place = Place.AfterKey;
            return Push(c);
        }

        ScanResult result = AfterValue(ScanResult.CompleteBefore);
        return result == ScanResult.More ? Push(c) : result;
    }

    private ScanResult InKeyName(char c)
    {
        if (IsNamePart(c) && _place == Place.KeyName && _word.Length <= 256)
            return Extend(Place.KeyName, c);
        if (char.IsWhiteSpace(c))
            return Go(Place.AfterKeyName);
        if (c is not (':' or '='))
            return ScanResult.Failed;
        Output.Append('"').Append(_word).Append("\":");
        _word.Clear();
        return Go(Place.Value);
    }

    private ScanResult InWord(char c)
    {
        if (char.IsLetterOrDigit(c) || c is '_' or '.' || (c is '-' or '+' && !char.IsLetter(_word[0])))
            return _word.Length <= 4400 ? Extend(Place.Word, c) : ScanResult.Failed;
        string? written = Written(_word.ToString());
        _word.Clear();
        if (written is null)
            return ScanResult.Failed;
        Output.Append(written);
        ScanResult result = AfterValue(ScanResult.CompleteBefore);
        return result == ScanResult.More ? Push(c) : result;
    }

    private static string? Written(string word) => word switch
    {
        "True" or "true" => "true",
        "False" or "false" => "false",
        "None" or "null" => "null",
        _ => Number(word),
    };

    private static string? Number(string word)
    {
        string number = word.Contains("__", StringComparison.Ordinal) || word.EndsWith('_') ? "" : word.Replace("_", "", StringComparison.Ordinal);
        if (number.Length is 0 or > 4300)
            return null;
        if (number.AsSpan().IndexOfAny(".eE") < 0)
        {
            bool isInteger = BigInteger.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger integer);
            string digits = number.TrimStart('+', '-');
            return isInteger && (digits.Length == 1 || digits[0] != '0' || integer.IsZero) ? integer.ToString(CultureInfo.InvariantCulture) : null;
        }

        const NumberStyles Styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(number, Styles, CultureInfo.InvariantCulture, out double real) && double.IsFinite(real) ? Templates.PythonRepr.Float(real) : null;
    }

    private ScanResult AfterValue(ScanResult whole)
    {
        _place = _open.Count == 0 ? Place.Done : Place.CommaOrEnd;
        return _open.Count == 0 ? whole : ScanResult.More;
    }

    private ScanResult Go(Place place)
    {
        _place = place;
        return ScanResult.More;
    }

    private ScanResult Extend(Place place, char c)
    {
        _word.Append(c);
        return Go(place);
    }

    private sealed class Frame
    {
        public char Open { get; init; }

        public int At { get; init; }

        public int Items { get; set; }

        public bool IsTuple { get; set; }
    }
}
