using System.Text;

namespace Puna.Text.Tools;

/// <summary><c>[f(a=1), g(b="x")]</c>, whose arguments are literals of Python or of JSON; or a list of calls in JSON.</summary>
/// <param name="tools">The tools.</param>
/// <param name="isPythonic">Whether the first may be.</param>
/// <param name="isJson">Whether the second may be.</param>
internal sealed class ListCallMachine(ToolCatalog tools, bool isPythonic, bool isJson) : CallMachine
{
    private const int LongestName = 256;

    private readonly StringBuilder _word = new();
    private readonly StringBuilder _written = new();
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private JsonCallMachine? _call;
    private PythonTranscoder? _value;
    private ToolSignature? _tool;
    private Place _place = Place.Open;
    private int _arguments;
    private bool _isJson;
    private bool _isNamed;
    private bool _isStarted;

    private enum Place
    {
        Open,
        First,
        CallOrEnd,
        Json,
        Name,
        AfterName,
        ArgumentOrEnd,
        ArgumentName,
        AfterArgumentName,
        FirstOfValue,
        Value,
        CommaOrEndOfArguments,
        CommaOrEnd,
    }

    /// <inheritdoc/>
    public override ScanResult Push(char c, ICallSink sink)
    {
        switch (_place)
        {
            case Place.Json:
                ScanResult result = _call!.Push(c, sink);
                return result == ScanResult.Complete ? Go(Place.CommaOrEnd) : result;
            case Place.Value:
                return InValue(c, sink);
            case Place.Name when !char.IsWhiteSpace(c) && c != '(':
                return Extend(c);
            case Place.ArgumentName when IsPart(c):
                return Extend(c);
        }

        if (char.IsWhiteSpace(c))
        {
            _place = _place == Place.Name ? Place.AfterName : _place == Place.ArgumentName ? Place.AfterArgumentName : _place;
            return ScanResult.More;
        }

        switch (_place)
        {
            case Place.Open:
                return c == '[' ? Go(Place.First) : ScanResult.Failed;
            case Place.First:
                _isJson = c == '{';
                return _isJson ? isJson ? BeginJson(c, sink) : ScanResult.Failed : isPythonic ? BeginName(c) : ScanResult.Failed;
            case Place.CallOrEnd:
                return c == ']' ? ScanResult.Complete : !_isJson ? BeginName(c) : c == '{' ? BeginJson(c, sink) : ScanResult.Failed;
            case Place.Name or Place.AfterName:
                return c == '(' ? BeginCall() : ScanResult.Failed;
            case Place.ArgumentOrEnd:
                return c == ')' ? EndCall(sink) : BeginArgument(c, sink);
            case Place.ArgumentName or Place.AfterArgumentName:
                return c == '=' ? Named() : Unnamed(c, sink);
            case Place.FirstOfValue:
                return BeginValue(c, sink);
            case Place.CommaOrEndOfArguments:
                return c == ',' ? Go(Place.ArgumentOrEnd) : c == ')' ? EndCall(sink) : ScanResult.Failed;
            default:
                return c == ',' ? Go(Place.CallOrEnd) : c == ']' ? ScanResult.Complete : ScanResult.Failed;
        }
    }

    private static bool IsPart(char c) => char.IsLetterOrDigit(c) || c is '_' or '-' or '.';

    private ScanResult BeginJson(char c, ICallSink sink)
    {
        _call = new JsonCallMachine(tools);
        _place = Place.Json;
        return _call.Push(c, sink);
    }

    private ScanResult BeginName(char c)
    {
        _word.Clear();
        _place = Place.Name;
        return Extend(c);
    }

    private ScanResult Extend(char c)
    {
        if (!IsPart(c) || _word.Length >= LongestName)
            return ScanResult.Failed;
        _word.Append(c);
        return ScanResult.More;
    }

    private ScanResult BeginCall()
    {
        _tool = tools.Find(_word.ToString());
        (_arguments, _isNamed, _isStarted) = (0, false, false);
        _names.Clear();
        return _tool is null ? ScanResult.Failed : Go(Place.ArgumentOrEnd);
    }

    private ScanResult BeginArgument(char c, ICallSink sink)
    {
        _word.Clear();
        if (char.IsLetter(c) || c == '_')
        {
            // A name, or a word such as True that is an argument by its place.
            _place = Place.ArgumentName;
            return Extend(c);
        }

        return ByPlace() ? BeginValue(c, sink) : ScanResult.Failed;
    }

    private ScanResult Named()
    {
        _isNamed = true;
        return Name(_word.ToString()) ? Go(Place.FirstOfValue) : ScanResult.Failed;
    }

    private ScanResult Unnamed(char c, ICallSink sink)
    {
        string word = _word.ToString();
        if (!ByPlace())
            return ScanResult.Failed;
        ScanResult result = ScanResult.More;
        foreach (char letter in word)
            result = result == ScanResult.More ? BeginOrContinue(letter, sink) : result;
        return result == ScanResult.More ? InValue(c, sink) : result;
    }

    private ScanResult BeginOrContinue(char c, ICallSink sink) => _value is null ? BeginValue(c, sink) : InValue(c, sink);

    // An argument without a name is the next of the declaration.
    private bool ByPlace() => !_isNamed && _arguments < _tool!.Parameters.Count && Name(_tool.Parameters[_arguments]);

    private bool Name(string name)
    {
        _written.Append(_arguments++ == 0 ? "{" : ",").Append(Chat.PythonText.JsonString(name)).Append(':');
        _value = null;
        return _names.Add(name);
    }

    private ScanResult BeginValue(char c, ICallSink sink)
    {
        _value = new PythonTranscoder();
        _place = Place.Value;
        return InValue(c, sink);
    }

    private ScanResult InValue(char c, ICallSink sink)
    {
        ScanResult result = _value!.Push(c);
        if (result == ScanResult.Failed)
            return result;
        if (_value.IsCertain && _value.Output.Length > 0)
        {
            _written.Append(_value.Output);
            _value.Output.Clear();
            Send(sink);
        }

        if (result == ScanResult.More)
            return result;
        _value = null;
        _place = Place.CommaOrEndOfArguments;
        return result == ScanResult.CompleteBefore ? Push(c, sink) : ScanResult.More;
    }

    private ScanResult EndCall(ICallSink sink)
    {
        _written.Append(_arguments == 0 ? "{}" : "}");
        Send(sink);
        return Go(Place.CommaOrEnd);
    }

    private void Send(ICallSink sink)
    {
        if (!_isStarted)
            sink.Start(_tool!.Name);
        _isStarted = true;
        sink.Append(_written);
        _written.Clear();
    }

    private ScanResult Go(Place place)
    {
        _place = place;
        return ScanResult.More;
    }
}
