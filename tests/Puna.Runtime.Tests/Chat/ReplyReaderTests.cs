using Puna.Runtime.Chat;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Text.Tools;

namespace Puna.Runtime.Tests.Chat;

/// <summary>Events of scripted streams of tokens.</summary>
public class ReplyReaderTests
{
    private const int Stop = 9, PythonTag = 8, PythonEnd = 7;
    private static readonly ToolSignature[] Tools = [new("f", ["a"]), new("g", [])];

    [Fact]
    public void TextComesAsItIs() => Assert.Equal(["Hel", "lo", "[Stop]"], Read(Plain(), "Hel", "lo"));

    [Fact]
    public void WithoutToolsNothingIsACall() => Assert.Equal(["[f(a=1)]", "[Stop]"], Read(Plain(), "[f(a=1)]"));

    [Fact]
    public void CallsComeNameFirst() => Assert.Equal(
        ["Well.", " ", "f#0", "0{\"a\":\"x", "0y\"}", "g#1", "1{}", "[ToolCalls]"], Read(WithTools(), "Well. [f(", "a='x", "y')", ", g()]"));

    [Fact]
    public void TheWholeIsThePiecesTogether()
    {
        string[] replies = ["Sure: [f(a=[1, 2]), g()]", "{\"name\": \"f\", \"parameters\": {\"a\": \"\\u00e9 x\"}}; {\"name\": \"g\"}", "<function=f>{\"a\": 1}</function> done", "{\"x\": 1}", "no call [1] at all"];
        foreach (string reply in replies)
        {
            string whole = Together(Read(WithTools(), reply));
            Assert.Equal(whole, Together(Read(WithTools(), [.. reply.Select(static c => c.ToString())])));
            Assert.Equal(whole, Together(Read(WithTools(), [.. reply.Chunk(3).Select(static c => new string(c))])));
        }
    }

    [Fact]
    public void OneCallWasAskedForOneComes()
    {
        Assert.Equal(["f#0", "0{\"a\":1}", "[ToolCalls]"], Read(WithTools() with { IsParallel = false }, "[f(a=1)", ", g()]", "more"));
        Assert.Equal(["f#0", "0{\"a\":1}", "[ToolCalls]"], Read(WithTools() with { IsParallel = false }, "[f(a=1)]"));
    }

    [Fact]
    public void TokensBehindTheOneCallAreNotCounted()
    {
        var reader = new ReplyReader(0, WithTools() with { IsParallel = false });
        var events = new List<ChatEvent>();
        foreach (string piece in (string[])["[f(a=1)", ", g()]", "more", "and more"])
            reader.Push(new TokenEvent(0, 1, piece, null, null, null), events);
        Assert.Equal((true, 2), (reader.IsCut, reader.Tokens));
        var whole = new ReplyReader(0, Plain());
        whole.Push(new TokenEvent(0, 1, "x", null, null, null), events);
        whole.Push(new TokenEvent(0, -1, "", null, FinishReason.Context, null), events);
        Assert.Equal((false, 1), (whole.IsCut, whole.Tokens));
    }

    [Fact]
    public void CodeTokensAreNoText()
    {
        ReplyPlan plan = WithTools() with { CodeStarts = [PythonTag], CodeEnd = PythonEnd };
        List<ChatEvent> events = Push(plan, [new(0, PythonTag, "", null, null, null), new(0, 1, "[g()]", null, null, null), new(0, PythonEnd, "", null, null, null), new(0, Stop, "", null, FinishReason.Stop, null)]);
        Assert.Equal(["g#0", "0{}", "[ToolCalls]"], Show(events));
        // The same token means nothing where no tools may be called, and text that looks like it never does.
        Assert.Equal(["<|python_tag|>[g()]", "[Stop]"], Read(Plain() with { CodeStarts = [PythonTag] }, "<|python_tag|>[g()]"));
    }

    [Fact]
    public void ABuiltInToolIsCalledWithoutTheTokenToo()
    {
        ReplyPlan plan = new(null, [new("brave_search", ["query"])], ToolFormats.All, true) { StopIds = [Stop] };
        List<ChatEvent> events = Push(plan, [new(0, 1, "brave_search.call(query=\"llama", null, null, null), new(0, 2, "\")", null, null, null), new(0, Stop, "", null, FinishReason.Stop, null)]);
        Assert.Equal(["brave_search#0", "0{\"query\":\"llama", "0\"}", "[ToolCalls]"], Show(events));
    }

    [Fact]
    public void ACallThatIsCutShortStaysAsFarAsItWent()
    {
        List<ChatEvent> events = Push(WithTools(), [new(0, 1, "[f(a=\"it is", null, null, null), new(0, 2, " long", null, FinishReason.Length, null)]);
        Assert.Equal(["f#0", "0{\"a\":\"it is", "0 long", "[Length]"], Show(events));
        Assert.Equal(["x", "[Length]"], Show(Push(Plain(), [new(0, 1, "x", null, FinishReason.Context, null)])));
    }

    [Fact]
    public void StopStringsAreNamed()
    {
        var end = (ChatEvent.Finished)Push(Plain(), [new(0, 1, "x", null, FinishReason.Stop, "END")])[^1];
        Assert.Equal(("END", ChatFinishReason.Stop), (end.StopString, end.Reason));
    }

    [Fact]
    public void LogProbabilitiesGoWithTheTextTheirTokensBring()
    {
        // The third token is undecided until the fourth; the call's tokens are no text and the end is none either.
        List<ChatEvent> events = Push(WithTools(), [Token(1, "a"), Token(2, "b"), Token(3, " ["), Token(4, "1]"), Token(5, " "), Token(6, "[f(a=1)]"), Token(Stop, "", FinishReason.Stop)]);
        Assert.Equal([[1], [2], [3, 4], [5, 6]], events.OfType<ChatEvent.TextDelta>().Select(static d => d.LogProbs.Select(static p => p.Chosen.Token).ToArray()));
        Assert.Equal("ab [1] ", string.Concat(events.OfType<ChatEvent.TextDelta>().Select(static d => d.Text)));
        // Half a character at the end has a token and no text.
        Assert.Equal([[1], [2]], Push(Plain(), [Token(1, "a"), Token(2, "", FinishReason.Length)]).OfType<ChatEvent.TextDelta>().Select(static d => d.LogProbs.Select(static p => p.Chosen.Token).ToArray()));
        // What a stop string took away is not reported.
        TokenEvent stopped = Token(2, "", FinishReason.Stop) with { StopString = "b" };
        Assert.Equal([[1]], Push(Plain(), [Token(1, "a"), stopped]).OfType<ChatEvent.TextDelta>().Select(static d => d.LogProbs.Select(static p => p.Chosen.Token).ToArray()));
    }

    private static TokenEvent Token(int id, string text, FinishReason? finish = null) => new(0, id, text, new TokenLogProbs(new TokenLogProb(id, -1), []), finish, null);

    private static ReplyPlan Plain() => new(null, null, ToolFormats.None, true) { StopIds = [Stop] };

    private static ReplyPlan WithTools() => new(null, Tools, ToolFormats.All, true) { StopIds = [Stop] };

    private static List<string> Read(ReplyPlan plan, params string[] pieces) =>
        Show(Push(plan, [.. pieces.Select(static p => new TokenEvent(0, 1, p, null, null, null)), new TokenEvent(0, Stop, "", null, FinishReason.Stop, null)]));

    private static List<ChatEvent> Push(ReplyPlan plan, TokenEvent[] tokens)
    {
        var reader = new ReplyReader(0, plan);
        var events = new List<ChatEvent>();
        foreach (TokenEvent token in tokens)
            reader.Push(token, events);
        Assert.True(reader.IsDone);
        return events;
    }

    private static List<string> Show(List<ChatEvent> events) => [.. events.Select(static found => found switch
    {
        ChatEvent.TextDelta text => text.Text,
        ChatEvent.ToolCallStart start => $"{start.Name}#{start.Index}",
        ChatEvent.ToolArgumentsDelta more => more.Index + more.Arguments,
        _ => $"[{((ChatEvent.Finished)found).Reason}]",
    })];

    // Neighbouring pieces of the same thing are one.
    private static string Together(List<string> shown)
    {
        string text = "";
        string? last = null;
        foreach (string piece in shown)
        {
            bool isMore = piece.Length > 1 && char.IsAsciiDigit(piece[0]) && last == piece[..1];
            text += isMore ? piece[1..] : piece;
            last = piece.Length > 1 && char.IsAsciiDigit(piece[0]) ? piece[..1] : null;
        }

        return text;
    }
}
