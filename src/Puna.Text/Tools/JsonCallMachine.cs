using System.Text;
using System.Text.Json;

namespace Puna.Text.Tools;

/// <summary>
/// <c>{"name": "f", "parameters": {...}}</c>: also <c>arguments</c>, either as an object or as a string of JSON, also inside <c>{"function": {...}}</c>. Other members are passed over. Arguments
/// go out as they come where the name came before them.
/// </summary>
internal sealed class JsonCallMachine(ToolCatalog tools) : CallMachine
{
    private readonly StringBuilder _captured = new();
    private JsonTranscoder _value = new();
    private Place _place = Place.Open;
    private Member _member;
    private string? _name;
    private string? _arguments;
    private bool _isInner;
    private bool _isStarted;
    private bool _hasArguments;

    private enum Place
    {
        Open,
        KeyOrEnd,
        Key,
        KeyText,
        Colon,
        First,
        Value,
        CommaOrEnd,
    }

    private enum Member
    {
        None,
        Other,
        Name,
        Arguments,
        Function,
    }

    /// <inheritdoc/>
    public override ScanResult Push(char c, ICallSink sink)
    {
        if (_place == Place.KeyText)
            return InKey(c);
        if (_place == Place.Value)
            return InValue(c, sink);
        if (c is ' ' or '\t' or '\n' or '\r')
            return ScanResult.More;
        switch (_place)
        {
            case Place.Open:
                return c == '{' ? Go(Place.KeyOrEnd) : ScanResult.Failed;
            case Place.KeyOrEnd or Place.Key:
                if (c == '}' && _place == Place.KeyOrEnd)
                    return End(sink);
                if (c != '"')
                    return ScanResult.Failed;
                Begin();
                _value.Push(c);
                return Go(Place.KeyText);
            case Place.Colon:
                return c == ':' ? Go(Place.First) : ScanResult.Failed;
            case Place.First:
                return First(c, sink);
            default:
                return c == ',' ? Go(Place.Key) : c == '}' ? End(sink) : ScanResult.Failed;
        }
    }

    private ScanResult InKey(char c)
    {
        ScanResult result = _value.Push(c);
        if (result != ScanResult.Complete)
            return result;
        _member = Text(_value.Output.ToString()) switch
        {
            "name" => Member.Name,
            "parameters" or "arguments" => Member.Arguments,
            "function" when !_isInner && _name is null => Member.Function,
            // Other members may stand beside the name; where none is known yet, this may be any JSON, which is not to be held back to its end.
            "type" or "id" => Member.Other,
            _ => _name is null ? Member.None : Member.Other,
        };
        return _member == Member.None ? ScanResult.Failed : Go(Place.Colon);
    }

    private ScanResult First(char c, ICallSink sink)
    {
        if (_member == Member.Function && c == '{')
        {
            _isInner = true;
            return Go(Place.KeyOrEnd);
        }

        bool fits = _member switch
        {
            Member.Name => c == '"',
            Member.Arguments => c is '{' or '"' or 'n',
            _ => true,
        };
        // A second name, or second arguments, say something that cannot be taken back.
        if (!fits || (_member == Member.Name && _name is not null) || (_member == Member.Arguments && _hasArguments))
            return ScanResult.Failed;
        Begin();
        _hasArguments |= _member == Member.Arguments;
        _place = Place.Value;
        return InValue(c, sink);
    }

    private ScanResult InValue(char c, ICallSink sink)
    {
        ScanResult result = _value.Push(c);
        if (result == ScanResult.Failed)
            return result;
        if (_member == Member.Arguments && _name is not null && _captured.Length == 0 && IsObject())
        {
            // The brace alone may still be the beginning of something else.
            if (_value.Output.Length > (_isStarted ? 0 : 1))
                Send(_value.Output, sink);
        }
        else if (_member == Member.Other)
        {
            _value.Output.Clear();
        }

        if (result == ScanResult.More)
            return result;
        if (!EndValue())
            return ScanResult.Failed;
        _place = Place.CommaOrEnd;
        return result == ScanResult.CompleteBefore ? Push(c, sink) : ScanResult.More;
    }

    private bool EndValue()
    {
        switch (_member)
        {
            case Member.Name:
                _name = Text(_value.Output.ToString());
                return tools.Has(_name);
            case Member.Arguments when !_isStarted:
                string text = _value.Output.ToString();
                _arguments = text == "null" ? "{}" : text[0] == '"' ? JsonTranscoder.Canonical(Text(text)) : text;
                return _arguments is not null;
            default:
                return true;
        }
    }

    private bool IsObject() => _isStarted || (_value.Output.Length > 0 && _value.Output[0] == '{');

    private ScanResult End(ICallSink sink)
    {
        if (_isInner)
        {
            // What follows the inner object is passed over, up to the end of the outer one.
            _isInner = false;
            if (_name is null)
                return ScanResult.Failed;
            return Go(Place.CommaOrEnd);
        }

        if (_name is null)
            return ScanResult.Failed;
        if (!_isStarted)
            Send(_captured.Append(_arguments ?? "{}"), sink);
        return ScanResult.Complete;
    }

    private void Send(StringBuilder arguments, ICallSink sink)
    {
        if (!_isStarted)
            sink.Start(_name!);
        _isStarted = true;
        sink.Append(arguments);
        arguments.Clear();
    }

    private void Begin() => _value = new JsonTranscoder();

    private ScanResult Go(Place place)
    {
        _place = place;
        return ScanResult.More;
    }

    // What the transcoder wrote is well-formed.
    private static string Text(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.GetString()!;
    }
}
