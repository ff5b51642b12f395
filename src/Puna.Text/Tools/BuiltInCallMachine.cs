using System.Text;

namespace Puna.Text.Tools;

/// <summary>
/// <c>brave_search.call(query="...")</c>. Nothing is escaped in the query, which may have quotation marks of its own: it ends at the last <c>")</c> before a line break, before another such call or
/// before the end of the reply. What comes after one is held back until that is decided.
/// </summary>
internal sealed class BuiltInCallMachine : CallMachine
{
    // Longer than what may stand between two calls with the beginning of the second.
    private const int LongestOpening = 64;

    private readonly ToolCatalog _tools;
    private readonly string _name;
    private readonly string _opening;
    private readonly StringBuilder _tail = new();     // what came after the last ")
    private readonly StringBuilder _arguments = new(); // to be told
    private readonly JsonTranscoder.StringWriter _query;
    private Place _place = Place.Opening;
    private int _matched;

    private BuiltInCallMachine(ToolCatalog tools, string name)
    {
        (_tools, _name, _opening) = (tools, name, name + BuiltInTools.Open);
        _query = new JsonTranscoder.StringWriter(_arguments);
    }

    private enum Place
    {
        Opening,
        Query,
        Quote,
        Closed,
    }

    /// <inheritdoc/>
    public override string Rest => _tail.ToString();

    /// <summary>A machine for the tool whose name begins with this character; null where none that was declared does.</summary>
    public static BuiltInCallMachine? For(char first, ToolCatalog tools)
    {
        // No two of them begin alike.
        foreach (string name in BuiltInTools.Queries)
        {
            if (name[0] == first && tools.Has(name))
                return new BuiltInCallMachine(tools, name);
        }

        return null;
    }

    /// <inheritdoc/>
    public override ScanResult Push(char c, ICallSink sink)
    {
        switch (_place)
        {
            case Place.Opening:
                if (c != _opening[_matched])
                    return ScanResult.Failed;
                if (++_matched < _opening.Length)
                    return ScanResult.More;
                sink.Start(_name);
                _arguments.Append("{\"query\":\"");
                return Tell(Place.Query, sink);
            case Place.Query when c == '"':
                _place = Place.Quote;
                return ScanResult.More;
            case Place.Query:
                _query.Add(c);
                return Tell(Place.Query, sink);
            case Place.Quote when c == ')':
                _place = Place.Closed;
                return ScanResult.More;
            case Place.Quote:
                _query.Add('"');
                if (c != '"')
                    _query.Add(c);
                return Tell(c == '"' ? Place.Quote : Place.Query, sink);
            default:
                return AfterClose(c, sink);
        }
    }

    /// <inheritdoc/>
    public override bool EndReply(ICallSink sink)
    {
        if (_place != Place.Closed)
            return false;
        _query.End();
        _arguments.Append("\"}");
        Tell(Place.Closed, sink);
        return true;
    }

    private ScanResult AfterClose(char c, ICallSink sink)
    {
        if (c is '\n' or '\r' || (c == '"' && BeginsAnother()))
        {
            EndReply(sink);
            return ScanResult.CompleteBefore;
        }

        if (c != ')' || _tail.Length == 0 || _tail[^1] != '"')
        {
            _tail.Append(c);
            return ScanResult.More;
        }

        // The query went on: what was taken for its end belongs to it, and this may be the end.
        _query.Add('"');
        _query.Add(')');
        for (int i = 0; i < _tail.Length - 1; i++)
            _query.Add(_tail[i]);
        _tail.Clear();
        return Tell(Place.Closed, sink);
    }

    // Whether the tail and a quotation mark are the beginning of another call.
    private bool BeginsAnother()
    {
        if (_tail.Length >= LongestOpening)
            return false;
        ReadOnlySpan<char> opening = BuiltInTools.Open.AsSpan(0, BuiltInTools.Open.Length - 1);
        ReadOnlySpan<char> text = _tail.ToString().AsSpan().TrimStart(" \t;,");
        foreach (string name in BuiltInTools.Queries)
        {
            if (text.Length == name.Length + opening.Length && text.StartsWith(name) && text.EndsWith(opening) && _tools.Has(name))
                return true;
        }

        return false;
    }

    private ScanResult Tell(Place place, ICallSink sink)
    {
        _place = place;
        sink.Append(_arguments);
        _arguments.Clear();
        return ScanResult.More;
    }
}
