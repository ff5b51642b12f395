using System.Text;

namespace Puna.Text.Tools;

/// <summary>
/// Finds calls of tools in a reply that arrives piece by piece. However the text is cut up, the same text and the same calls come out, in the same order. Text that
/// may become a call is held back until it is one, or is none. Only tools that were declared are called: anything else stays text. Time is linear.
/// </summary>
/// <remarks>
/// A call in JSON begins at the first character of a reply that is no white space, or after another call; one in a tag or in a list of Python may follow text. The
/// token that begins code cannot be forged by text: it comes as <see cref="PushPythonTag"/>.
/// </remarks>
public sealed class ToolCallParser
{
    /// <summary>Most characters of one call; what is longer is text.</summary>
    public const int LongestCall = 1 << 20;

    private static readonly string[] BuiltIns = ["brave_search", "wolfram_alpha", "photogen"];

    private readonly ToolFormats _formats;
    private readonly ToolCatalog _tools;
    private readonly StringBuilder _held = new();   // of a call that may be under way
    private readonly StringBuilder _space = new();  // white space that is text only if text follows
    private readonly StringBuilder _text = new();
    private CallScanner? _scanner;
    private bool _isCode;
    private bool _hasText;
    private bool _hasCall;
    private bool _isEnded;
    private int _calls;

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
        ObjectDisposedException.ThrowIf(_isEnded, this);
        foreach (char c in text)
            Take(c, events);
        FlushText(events);
    }

    /// <summary>Takes the control token that begins code (<c>&lt;|python_tag|&gt;</c>, <c>&lt;|python_start|&gt;</c>).</summary>
    /// <param name="events">Receives what was found.</param>
    public void PushPythonTag(List<ToolEvent> events)
    {
        ObjectDisposedException.ThrowIf(_isEnded, this);
        if (!_formats.HasFlag(ToolFormats.PythonTag) || _isCode)
            return;
        EndHeld(events);
        FlushText(events);
        _isCode = true;
    }

    /// <summary>Takes the control token that ends code (<c>&lt;|python_end|&gt;</c>).</summary>
    /// <param name="events">Receives what was found.</param>
    public void PushPythonEnd(List<ToolEvent> events)
    {
        ObjectDisposedException.ThrowIf(_isEnded, this);
        if (_isCode)
            EndCode(events);
        FlushText(events);
    }

    /// <summary>Ends the reply.</summary>
    /// <param name="events">Receives what was found.</param>
    public void Finish(List<ToolEvent> events)
    {
        ObjectDisposedException.ThrowIf(_isEnded, this);
        if (_isCode)
            EndCode(events);
        else
            EndHeld(events);
        // White space around calls says nothing.
        if (!_hasCall)
            _text.Append(_space);
        _space.Clear();
        FlushText(events);
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

    private void Take(char c, List<ToolEvent> events)
    {
        if (_isCode)
        {
            _held.Append(c);
            return;
        }

        if (_scanner is not null)
        {
            ScanResult result = _held.Length < LongestCall ? _scanner.Push(c) : ScanResult.Failed;
            if (result == ScanResult.Failed)
            {
                Reject();
                Take(c, events); // which may begin a call itself
                return;
            }

            _held.Append(c);
            if (result == ScanResult.Complete)
                Accept(events);
            return;
        }

        bool isSeparator = char.IsWhiteSpace(c) || (_hasCall && !_hasText && c is ';' or ',');
        if (isSeparator)
        {
            _space.Append(c);
            return;
        }

        _scanner = c switch
        {
            '{' when _formats.HasFlag(ToolFormats.Json) && !_hasText => new JsonScanner(),
            '<' when _formats.HasFlag(ToolFormats.FunctionTag) => new TagScanner(),
            '[' when _formats.HasFlag(ToolFormats.Pythonic) => new PythonicScanner(_tools),
            _ => null,
        };
        if (_scanner is null)
        {
            AddText(c.ToString());
            return;
        }

        _scanner.Push(c);
        _held.Append(c);
    }

    private void Accept(List<ToolEvent> events)
    {
        if (_scanner!.Read(_held.ToString(), _tools) is not { } calls)
        {
            Reject();
            return;
        }

        _scanner = null;
        _held.Clear();
        Add(calls, events);
    }

    private void Add(IReadOnlyList<ToolCall> calls, List<ToolEvent> events)
    {
        if (!_hasText || _hasCall)
            _space.Clear();
        _text.Append(_space);
        _space.Clear();
        FlushText(events);
        foreach (ToolCall call in calls)
        {
            events.Add(new ToolEvent.CallStart(_calls, ToolCall.NewId(), call.Name));
            events.Add(new ToolEvent.Arguments(_calls++, call.Arguments));
        }

        _hasCall = true;
        _hasText = false;
    }

    private void Reject()
    {
        _scanner = null;
        string text = _held.ToString();
        _held.Clear();
        AddText(text);
    }

    private void AddText(string text)
    {
        _text.Append(_space).Append(text);
        _space.Clear();
        _hasText = true;
    }

    private void EndHeld(List<ToolEvent> events)
    {
        if (_scanner is null)
            return;
        if (_scanner.IsCompleteAtEnd)
            Accept(events);
        else
            Reject();
    }

    private void EndCode(List<ToolEvent> events)
    {
        _isCode = false;
        string code = _held.ToString();
        _held.Clear();
        string trimmed = code.Trim(' ', '\n');
        if (trimmed.Length == 0)
            return;
        if (BuiltIn(trimmed) is { } builtIn)
            Add([builtIn], events);
        else if (_formats.HasFlag(ToolFormats.Json) && trimmed[0] == '{' && CallReader.Json(trimmed, _tools) is { } call)
            Add([call], events);
        else if (_formats.HasFlag(ToolFormats.Pythonic) && trimmed[0] == '[' && trimmed.Length <= LongestCall && new PythonCallReader(trimmed, _tools).ReadList() is { } calls)
            Add(calls, events);
        else
            Add([new ToolCall("code_interpreter", Argument("code", code))], events);
    }

    // NAME.call(query="Q"): the query is not escaped, and ends at the last quote.
    private static ToolCall? BuiltIn(string text)
    {
        const string Open = ".call(query=\"", Close = "\")";
        foreach (string name in BuiltIns)
        {
            if (text.StartsWith(name, StringComparison.Ordinal) && text.AsSpan(name.Length).StartsWith(Open, StringComparison.Ordinal) && text.EndsWith(Close, StringComparison.Ordinal)
                && text.Length >= name.Length + Open.Length + Close.Length)
            {
                return new ToolCall(name, Argument("query", text[(name.Length + Open.Length)..^Close.Length]));
            }
        }

        return null;
    }

    private static string Argument(string name, string value) => ChatJson.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString(name, value);
        writer.WriteEndObject();
    });

    private void FlushText(List<ToolEvent> events)
    {
        if (_text.Length == 0)
            return;
        // Text that follows text is one event for who reads all at once; a stream has one per piece.
        events.Add(new ToolEvent.Text(_text.ToString()));
        _text.Clear();
    }
}
