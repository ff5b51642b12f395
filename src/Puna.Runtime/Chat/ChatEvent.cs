using Puna.Runtime.Sampling;

namespace Puna.Runtime.Chat;

/// <summary>What a reply gained.</summary>
/// <param name="Choice">Which of the replies.</param>
public abstract record ChatEvent(int Choice)
{
    /// <summary>Text of the reply.</summary>
    /// <param name="Choice">Which of the replies.</param>
    /// <param name="Text">Not empty, except where tokens with log-probabilities have no text of their own.</param>
    /// <param name="LogProbs">Log-probabilities of the tokens that brought it, where they were asked for.</param>
    public sealed record TextDelta(int Choice, string Text, IReadOnlyList<TokenLogProbs> LogProbs) : ChatEvent(Choice);

    /// <summary>A call of a tool begins.</summary>
    /// <param name="Choice">Which of the replies.</param>
    /// <param name="Index">Counts the calls of the reply from 0.</param>
    /// <param name="Id">Identifies the call: <c>call_</c> and 24 characters.</param>
    /// <param name="Name">The tool.</param>
    public sealed record ToolCallStart(int Choice, int Index, string Id, string Name) : ChatEvent(Choice);

    /// <summary>More of a call's arguments.</summary>
    /// <param name="Choice">Which of the replies.</param>
    /// <param name="Index">Which call.</param>
    /// <param name="Arguments">A piece of the text of a JSON object.</param>
    public sealed record ToolArgumentsDelta(int Choice, int Index, string Arguments) : ChatEvent(Choice);

    /// <summary>A reply has ended.</summary>
    /// <param name="Choice">Which of the replies.</param>
    /// <param name="Reason">Why.</param>
    /// <param name="StopString">The stop string that was met, or null.</param>
    public sealed record Finished(int Choice, ChatFinishReason Reason, string? StopString) : ChatEvent(Choice);
}
