using System.Text;

namespace Puna.Text.Tools;

/// <summary><c>&lt;function=f&gt;{...}&lt;/function&gt;</c>, and <c>&lt;tool_call&gt;{"name": ...}&lt;/tool_call&gt;</c>. The end of a tag may be missing.</summary>
internal sealed class TagCallMachine(ToolCatalog tools, ToolFormats formats) : CallMachine
{
    private const string OpenFunction = "<function=", CloseFunction = "</function>", OpenCall = "<tool_call>", CloseCall = "</tool_call>";
    private const int LongestName = 256;

    private readonly StringBuilder _name = new();
    private readonly JsonTranscoder _arguments = new();
    private readonly JsonCallMachine _call = new(tools);
    private string _open = "";
    private Place _place = Place.Opening;
    private int _matched;
    private bool _isStarted;

    private enum Place
    {
        Opening,
        Name,
        BeforeArguments,
        Arguments,
        Call,
        Closing,
    }

    /// <inheritdoc/>
    public override ScanResult Push(char c, ICallSink sink)
    {
        switch (_place)
        {
            case Place.Opening:
                return Opening(c);
            case Place.Name:
                if (c == '>')
                {
                    _place = Place.BeforeArguments;
                    return tools.Has(_name.ToString().Trim()) ? ScanResult.More : ScanResult.Failed;
                }

                _name.Append(c);
                return _name.Length > LongestName || c is '\n' or '<' ? ScanResult.Failed : ScanResult.More;
            case Place.BeforeArguments when char.IsWhiteSpace(c):
                return ScanResult.More;
            case Place.BeforeArguments:
                _place = Place.Arguments;
                return c == '{' ? _arguments.Push(c) : ScanResult.Failed;
            case Place.Arguments:
                return Arguments(c, sink);
            case Place.Call:
                ScanResult result = _call.Push(c, sink);
                if (result != ScanResult.Complete)
                    return result;
                _place = Place.Closing;
                return ScanResult.More;
            default:
                return Closing(c);
        }
    }

    private ScanResult Opening(char c)
    {
        if (_matched == 1)
            _open = c == OpenFunction[1] && formats.HasFlag(ToolFormats.FunctionTag) ? OpenFunction : c == OpenCall[1] && formats.HasFlag(ToolFormats.ToolCallTag) ? OpenCall : "";
        if (_matched == 0 ? c != '<' : _open.Length == 0 || c != _open[_matched])
            return ScanResult.Failed;
        if (++_matched == _open.Length)
            (_place, _matched) = (_open == OpenFunction ? Place.Name : Place.Call, 0);
        return ScanResult.More;
    }

    private ScanResult Arguments(char c, ICallSink sink)
    {
        ScanResult result = _arguments.Push(c);
        if (result == ScanResult.Failed)
            return result;
        if (_arguments.Output.Length > (_isStarted ? 0 : 1))
        {
            if (!_isStarted)
                sink.Start(_name.ToString().Trim());
            _isStarted = true;
            sink.Append(_arguments.Output);
            _arguments.Output.Clear();
        }

        if (result == ScanResult.Complete)
            _place = Place.Closing;
        return ScanResult.More;
    }

    private ScanResult Closing(char c)
    {
        if (_matched == 0 && char.IsWhiteSpace(c))
            return ScanResult.More;
        string close = _open == OpenFunction ? CloseFunction : CloseCall;
        if (c != close[_matched])
            return ScanResult.Failed;
        return ++_matched == close.Length ? ScanResult.Complete : ScanResult.More;
    }
}
