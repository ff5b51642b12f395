namespace Puna.Text.Tools;

/// <summary>What a scanner makes of a character.</summary>
internal enum ScanResult
{
    /// <summary>The text may become a call.</summary>
    More,

    /// <summary>The call is complete with this character.</summary>
    Complete,

    /// <summary>The text is no call.</summary>
    Failed,
}

/// <summary>Finds where a call ends, character by character and so the same however the text is cut up.</summary>
internal abstract class CallScanner
{
    /// <summary>Deepest nesting of brackets.</summary>
    public const int MostDepth = 64;

    /// <summary>Takes one character.</summary>
    public abstract ScanResult Push(char c);

    /// <summary>Whether a text that ends here is complete, although the end was not written.</summary>
    public virtual bool IsCompleteAtEnd => false;

    /// <summary>The calls of the text that was scanned, or null where it is none after all.</summary>
    public abstract IReadOnlyList<ToolCall>? Read(string text, ToolCatalog tools);
}

/// <summary>A JSON object.</summary>
internal class JsonScanner : CallScanner
{
    private int _depth;
    private bool _inString;
    private bool _isEscaped;

    /// <inheritdoc/>
    public override ScanResult Push(char c)
    {
        if (_inString)
        {
            _inString = _isEscaped || c != '"';
            _isEscaped = !_isEscaped && c == '\\';
            return ScanResult.More;
        }

        switch (c)
        {
            case '"':
                _inString = _depth > 0;
                return _depth > 0 ? ScanResult.More : ScanResult.Failed;
            case '{' or '[':
                return ++_depth > MostDepth || (_depth == 1 && c == '[') ? ScanResult.Failed : ScanResult.More;
            case '}' or ']':
                return --_depth < 0 ? ScanResult.Failed : _depth == 0 ? ScanResult.Complete : ScanResult.More;
            default:
                return _depth > 0 ? ScanResult.More : ScanResult.Failed;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ToolCall>? Read(string text, ToolCatalog tools) => CallReader.Json(text, tools) is { } call ? [call] : null;
}

/// <summary><c>&lt;function=f&gt;{...}&lt;/function&gt;</c>.</summary>
internal sealed class TagScanner : CallScanner
{
    /// <summary>How a call begins.</summary>
    public const string Open = "<function=";

    private const string Close = "</function>";
    private const int LongestName = 256;
    private readonly JsonScanner _json = new();
    private int _length;
    private int _state; // 0 opening, 1 name, 2 before the arguments, 3 inside them, 4 closing
    private int _matched;
    private int _nameEnd;
    private int _jsonStart;
    private int _jsonEnd;

    /// <inheritdoc/>
    public override bool IsCompleteAtEnd => _state == 4 && _matched == 0;

    /// <inheritdoc/>
    public override ScanResult Push(char c)
    {
        int at = _length++;
        switch (_state)
        {
            case 0:
                if (c != Open[_matched])
                    return ScanResult.Failed;
                if (++_matched == Open.Length)
                    (_state, _matched) = (1, 0);
                return ScanResult.More;
            case 1:
                if (c == '>')
                    (_state, _nameEnd) = (2, at);
                return at - Open.Length > LongestName || c is '\n' or '<' ? ScanResult.Failed : ScanResult.More;
            case 2:
                if (char.IsWhiteSpace(c))
                    return ScanResult.More;
                (_state, _jsonStart) = (3, at);
                return _json.Push(c);
            case 3:
                ScanResult result = _json.Push(c);
                if (result != ScanResult.Complete)
                    return result;
                (_state, _jsonEnd) = (4, at + 1);
                return ScanResult.More;
            default:
                if (_matched == 0 && char.IsWhiteSpace(c))
                    return ScanResult.More;
                if (c != Close[_matched])
                    return ScanResult.Failed;
                return ++_matched == Close.Length ? ScanResult.Complete : ScanResult.More;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ToolCall>? Read(string text, ToolCatalog tools)
    {
        string name = text[Open.Length.._nameEnd].Trim();
        return tools.Has(name) && CallReader.Arguments(text[_jsonStart.._jsonEnd]) is { } arguments ? [new ToolCall(name, arguments)] : null;
    }
}

/// <summary><c>[f(a=1), g(b="x")]</c>.</summary>
internal sealed class PythonicScanner(ToolCatalog tools) : CallScanner
{
    private readonly System.Text.StringBuilder _name = new();
    private int _depth;
    private char _quote;
    private bool _isEscaped;
    private bool _isCall;
    private bool _hasNameEnded;

    /// <inheritdoc/>
    public override ScanResult Push(char c)
    {
        if (_quote != '\0')
        {
            if (!_isEscaped && (c == _quote || c == '\n'))
            {
                if (c == '\n')
                    return ScanResult.Failed;
                _quote = '\0';
            }

            _isEscaped = !_isEscaped && c == '\\';
            return ScanResult.More;
        }

        if (_depth == 0)
            return c == '[' && ++_depth > 0 ? ScanResult.More : ScanResult.Failed;
        if (!_isCall)
        {
            if (c == '(' && _name.Length > 0 && tools.Has(_name.ToString()))
            {
                _isCall = true;
                _depth++;
                return ScanResult.More;
            }

            if (char.IsWhiteSpace(c))
            {
                _hasNameEnded = _name.Length > 0;
                return ScanResult.More;
            }

            if (_hasNameEnded || _name.Length >= 256 || !(char.IsLetterOrDigit(c) || c is '_' or '-' or '.'))
                return ScanResult.Failed;
            _name.Append(c);
            return ScanResult.More;
        }

        switch (c)
        {
            case '"' or '\'':
                _quote = c;
                return ScanResult.More;
            case '(' or '[' or '{':
                return ++_depth > MostDepth ? ScanResult.Failed : ScanResult.More;
            case ')' or ']' or '}':
                return --_depth == 0 ? ScanResult.Complete : ScanResult.More;
            default:
                return ScanResult.More;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ToolCall>? Read(string text, ToolCatalog catalog) => new PythonCallReader(text, catalog).ReadList();
}
