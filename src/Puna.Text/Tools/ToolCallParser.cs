using System.Text;

namespace Puna.Text.Tools;

/// <summary>
/// Finds calls of tools in a reply that arrives piece by piece. However the text is cut up, the same text and the same calls come out, in the same order; calls as they come, first the name,
/// then pieces of the arguments. Only tools that were declared are called: anything else stays text. Time is linear.
/// </summary>
/// <remarks>
/// A call in JSON or of one of Meta's built-in tools begins at the first character of a reply that is no white space, or after another call; one in a tag or in a list of Python may follow
/// text. The token that begins code cannot be forged by text: it comes as <see cref="PushPythonTag"/>.
/// Text that may become a call is held back until the tool's name and the beginning of its arguments are read. From there on it is a call: one that is cut short keeps what there was of it, and
/// where one goes astray, the text that cannot belong to it is text again.
/// </remarks>
public sealed class ToolCallParser : ICallSink
{
    /// <summary>Most characters that are held back; what is longer is text.</summary>
    public const int LongestCall = 1 << 20;

    /// <summary>What may stand before a call in JSON without being text: the white space of JSON. Other spaces of Unicode are text.</summary>
    public const string WhiteSpace = " \t\r\n";

    private readonly ToolFormats _formats;
    private readonly ToolCatalog _tools;
    private readonly StringBuilder _held = new();      // of a call that may be under way, as far as it has told of nothing; or code
    private readonly StringBuilder _space = new();     // white space that is text only if text follows
    private readonly StringBuilder _text = new();      // to be told
    private readonly StringBuilder _arguments = new(); // to be told
    private List<ToolEvent>? _events;
    private CallMachine? _machine;
    private int _calls;
    private bool _isStarted; // the machine has told of a call
    private bool _hasTold;   // with the character at hand
    private bool _isCode;
    private bool _isPlainCode;
    private bool _hasText;
    private bool _hasCall;
    private bool _isEnded;

    /// <summary>Begins a reply.</summary>
    /// <param name="tools">The tools that may be called.</param>
    /// <param name="formats">The forms to look for.</param>
    public ToolCallParser(IEnumerable<ToolSignature> tools, ToolFormats formats = ToolFormats.All)
    {
        _formats = formats;
        _tools = new ToolCatalog(tools);
    }

    /// <summary>Takes the next part of the text.</summary>
    /// <param name="text">Any length.</param>
    /// <param name="events">Receives what was found.</param>
    public void Push(ReadOnlySpan<char> text, List<ToolEvent> events)
    {
        Begin(events);
        foreach (char c in text)
            Take(c);
        Flush();
    }

    /// <summary>Takes the control token that begins code (<c>&lt;|python_tag|&gt;</c>, <c>&lt;|python_start|&gt;</c>).</summary>
    /// <param name="events">Receives what was found.</param>
    public void PushPythonTag(List<ToolEvent> events)
    {
        Begin(events);
        if (_formats.HasFlag(ToolFormats.PythonTag) && !_isCode)
        {
            EndHeld();
            _isCode = true;
        }

        Flush();
    }

    /// <summary>Takes the control token that ends code (<c>&lt;|python_end|&gt;</c>).</summary>
    /// <param name="events">Receives what was found.</param>
    public void PushPythonEnd(List<ToolEvent> events)
    {
        Begin(events);
        if (_isCode)
            EndCode();
        Flush();
    }

    /// <summary>Ends the reply.</summary>
    /// <param name="events">Receives what was found.</param>
    public void Finish(List<ToolEvent> events)
    {
        Begin(events);
        if (_isCode)
            EndCode();
        else
            EndHeld();
        // White space around calls says nothing.
        if (!_hasCall)
            _text.Append(_space);
        _space.Clear();
        Flush();
        _isEnded = true;
    }

    /// <summary>All of a reply at once.</summary>
    /// <param name="text">The reply.</param>
    /// <param name="tools">The tools that may be called.</param>
    /// <param name="formats">The forms to look for.</param>
    public static IReadOnlyList<ToolEvent> Parse(string text, IEnumerable<ToolSignature> tools, ToolFormats formats = ToolFormats.All)
    {
        var events = new List<ToolEvent>();
        var parser = new ToolCallParser(tools, formats);
        parser.Push(text, events);
        parser.Finish(events);
        return events;
    }

    void ICallSink.Start(string name)
    {
        if (!_hasText || _hasCall)
            _space.Clear();
        _text.Append(_space);
        _space.Clear();
        _held.Clear();
        FlushText();
        FlushArguments();
        _events!.Add(new ToolEvent.CallStart(_calls++, ToolCall.NewId(), name));
        (_hasCall, _hasText, _isStarted) = (true, false, true);
    }

    void ICallSink.Append(StringBuilder arguments)
    {
        _held.Clear();
        _hasTold = true;
        _arguments.Append(arguments);
    }

    private void Begin(List<ToolEvent> events)
    {
        ObjectDisposedException.ThrowIf(_isEnded, this);
        _events = events;
    }

    private void Take(char c)
    {
        if (_isCode && _machine is null)
        {
            // A call that was marked as code is found as it comes; anything else is known at its end.
            _machine = _isPlainCode || !IsBlank(_held) ? null : Begin(c);
        }
        else if (_machine is null && !_isCode)
        {
            if (WhiteSpace.Contains(c, StringComparison.Ordinal) || (_hasCall && !_hasText && c is ';' or ','))
            {
                _space.Append(c);
                return;
            }

            _machine = Begin(c);
            if (_machine is null)
            {
                AddText(c);
                return;
            }
        }

        if (_machine is null)
        {
            _held.Append(c);
            return;
        }

        _hasTold = false;
        ScanResult result = _isStarted || _held.Length < LongestCall ? _machine.Push(c, this) : ScanResult.Failed;
        if (result == ScanResult.Failed)
        {
            Reject();
            Take(c); // which may begin a call itself
            return;
        }

        if (result == ScanResult.More)
        {
            // What a call has told of needs no holding back; what came since may have to be shown.
            if (!_hasTold)
                _held.Append(c);
            return;
        }

        string rest = _machine.Rest;
        EndCall();
        foreach (char after in rest)
            Take(after);
        if (result == ScanResult.CompleteBefore)
            Take(c);
    }

    private CallMachine? Begin(char c) => c switch
    {
        '{' when _formats.HasFlag(ToolFormats.Json) && (_isCode || !_hasText) => new JsonCallMachine(_tools),
        '<' when (_formats & (ToolFormats.FunctionTag | ToolFormats.ToolCallTag)) != 0 => new TagCallMachine(_tools, _formats),
        '[' when (_formats & (ToolFormats.Pythonic | ToolFormats.JsonList)) != 0 =>
            new ListCallMachine(_tools, _formats.HasFlag(ToolFormats.Pythonic), _formats.HasFlag(ToolFormats.JsonList) && (_isCode || !_hasText)),
        'b' or 'w' or 'p' when _isCode || (_formats.HasFlag(ToolFormats.BuiltIn) && !_hasText) => BuiltInCallMachine.For(c, _tools),
        _ => null,
    };

    private void EndCall()
    {
        _machine = null;
        _held.Clear();
        FlushArguments();
        (_isStarted, _isCode) = (false, false);
    }

    // What was read is no call, or a call that has gone astray: what it has not told of is text, or code.
    private void Reject()
    {
        bool wasStarted = _isStarted;
        string text = _held.ToString();
        EndCallAstray();
        if (_isCode && !wasStarted)
        {
            _held.Append(text);
            _isPlainCode = true;
            return;
        }

        _isCode = false;
        foreach (char c in text)
            AddText(c);
    }

    private void EndCallAstray()
    {
        _machine = null;
        _held.Clear();
        FlushArguments();
        _isStarted = false;
    }

    private void AddText(char c)
    {
        _text.Append(_space).Append(c);
        _space.Clear();
        _hasText = true;
    }

    private void EndHeld()
    {
        // What follows a call that is complete may begin another.
        while (_machine is not null)
        {
            if (_machine.EndReply(this))
            {
                string rest = _machine.Rest;
                EndCall();
                foreach (char after in rest)
                    Take(after);
            }
            else if (_isStarted)
            {
                // A call that was cut short stays as far as it went; what it did not tell of is lost with its end.
                EndCallAstray();
            }
            else
            {
                Reject();
            }
        }
    }

    private void EndCode()
    {
        if (_machine is not null)
            EndHeld();
        if (!_isCode)
            return;
        _isCode = false;
        _isPlainCode = false;
        string code = _held.ToString();
        _held.Clear();
        if (code.AsSpan().Trim(" \n").IsEmpty)
            return;
        if (_tools.Has(BuiltInTools.Interpreter))
        {
            Add(new ToolCall(BuiltInTools.Interpreter, Argument("code", code)));
        }
        else
        {
            foreach (char c in code)
                AddText(c);
        }
    }

    private void Add(ToolCall call)
    {
        ICallSink sink = this;
        sink.Start(call.Name);
        sink.Append(new StringBuilder(call.Arguments));
        EndCall();
    }

    private static bool IsBlank(StringBuilder text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!WhiteSpace.Contains(text[i], StringComparison.Ordinal))
                return false;
        }

        return true;
    }

    private static string Argument(string name, string value) => ChatJson.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString(name, value);
        writer.WriteEndObject();
    });

    private void FlushText()
    {
        if (_text.Length > 0)
            _events!.Add(new ToolEvent.Text(_text.ToString()));
        _text.Clear();
    }

    private void FlushArguments()
    {
        if (_arguments.Length > 0)
            _events!.Add(new ToolEvent.Arguments(_calls - 1, _arguments.ToString()));
        _arguments.Clear();
    }

    private void Flush()
    {
        FlushArguments();
        FlushText();
        _events = null;
    }
}
