using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Text.Tools;

namespace Puna.Runtime.Chat;

/// <summary>Makes the events of one reply of its tokens, one after the other.</summary>
/// <param name="choice">Which reply.</param>
/// <param name="plan">What to look for.</param>
internal sealed class ReplyReader(int choice, ReplyPlan plan)
{
    private readonly ToolCallParser? _parser = plan.Tools is null ? null : new ToolCallParser(plan.Tools, plan.Formats);
    private readonly List<ToolEvent> _found = [];
    private readonly List<TokenLogProbs> _logProbs = [];
    private int _calls;

    /// <summary>Whether the reply has ended.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Tokens taken.</summary>
    public int Tokens { get; private set; }

    /// <summary>Whether it has ended before the engine would have ended it.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Takes the next token.</summary>
    /// <param name="token">The token and its text.</param>
    /// <param name="events">Receives what follows from it.</param>
    public void Push(TokenEvent token, List<ChatEvent> events)
    {
        if (IsDone)
        {
            return;
        }

        // Text alone may come at the end, where the engine cuts a reply short.
        Tokens += token.Token >= 0 ? 1 : 0;
        bool ends = token.Finish == FinishReason.Stop && plan.StopIds.Contains(token.Token);
        if (token.LogProbs is { } logProbs && !ends)
        {
            _logProbs.Add(logProbs);
        }

        if (_parser is null)
        {
            AddText(token.Text, events);
        }
        else
        {
            Parse(token, events);
        }

        if (token.Finish is { } finish && !IsDone)
        {
            // What a stop string took away is no part of the reply; other tokens without text (half a character) are.
            if (_logProbs.Count > 0 && token.StopString is null && _calls == 0)
            {
                events.Add(new ChatEvent.TextDelta(choice, "", [.. _logProbs]));
            }

            Finish(finish == FinishReason.Stop ? (_calls > 0 ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop) : ChatFinishReason.Length, token.StopString, events);
        }
    }

    private void Parse(TokenEvent token, List<ChatEvent> events)
    {
        if (plan.IsCodeStart(token.Token))
        {
            _parser!.PushPythonTag(_found);
        }
        else if (plan.IsCodeEnd(token.Token))
        {
            _parser!.PushPythonEnd(_found);
        }

        _parser!.Push(token.Text, _found);
        if (token.Finish is not null)
        {
            _parser.Finish(_found);
        }

        foreach (ToolEvent found in _found)
        {
            switch (found)
            {
                case ToolEvent.Text text:
                    AddText(text.Value, events);
                    break;
                case ToolEvent.CallStart when _calls > 0 && !plan.IsParallel:
                    // One call was asked for: the reply ends before the second.
                    IsCut = true;
                    Finish(ChatFinishReason.ToolCalls, null, events);
                    _found.Clear();
                    return;
                case ToolEvent.CallStart start:
                    _calls++;
                    _logProbs.Clear();
                    events.Add(new ChatEvent.ToolCallStart(choice, start.Index, start.Id, start.Name));
                    break;
                case ToolEvent.Arguments more:
                    _logProbs.Clear();
                    events.Add(new ChatEvent.ToolArgumentsDelta(choice, more.Index, more.Delta));
                    break;
            }
        }

        _found.Clear();
    }

    private void AddText(string text, List<ChatEvent> events)
    {
        if (text.Length > 0)
        {
            events.Add(new ChatEvent.TextDelta(choice, text, _logProbs.Count == 0 ? [] : [.. _logProbs]));
            _logProbs.Clear();
        }
    }

    private void Finish(ChatFinishReason reason, string? stopString, List<ChatEvent> events)
    {
        events.Add(new ChatEvent.Finished(choice, reason, stopString));
        IsDone = true;
    }
}
