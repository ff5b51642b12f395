using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Puna.Runtime.Serving;
using Puna.Text.Chat;
using Puna.Text.Tools;

namespace Puna.Runtime.Chat;

/// <summary>The replies to a request. Disposing cancels what is left of them.</summary>
public sealed class ChatReply : IDisposable
{
    private readonly GenerationHandle? _handle;
    private readonly ChatRequest? _request;
    private readonly FilterGate? _filter;
    private readonly ReplyReader[] _replies;
    private readonly int _choices;
    private readonly int _promptTokens;
    private int _isRead;

    internal ChatReply(GenerationHandle handle, ChatRequest request, ReplyPlan plan, FilterGate? filter)
    {
        (_handle, _request, _filter, _choices) = (handle, request, filter, request.Choices);
        _replies = new ReplyReader[_choices];
        for (int i = 0; i < _replies.Length; i++)
        {
            _replies[i] = new ReplyReader(i, plan);
        }
    }

    private ChatReply(int promptTokens, int choices) => (_promptTokens, _choices, _replies) = (promptTokens, choices, []);

    /// <summary>The number of the request, unique in its engine; 0 where the filter refused the prompt.</summary>
    public long Id => _handle?.Id ?? 0;

    /// <summary>What the request took so far; complete once the events have ended.</summary>
    public GenerationUsage Usage
    {
        get
        {
            if (_handle is null)
            {
                return new GenerationUsage(_promptTokens, 0, 0, 0, 0, 0, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
            }

            // Where a reply is ended here, the engine may be some tokens ahead, as it happens; those are nobody's.
            GenerationUsage usage = _handle.Usage;
            return Array.Exists(_replies, static reply => reply.IsCut) ? usage with { GeneratedTokens = _replies.Sum(static reply => reply.Tokens) } : usage;
        }
    }

    /// <summary>Told of every event before the reader is: for whoever keeps a record of what is said. Set before reading.</summary>
    public Action<ChatEvent>? Said { get; set; }

    /// <summary>The events of all replies, as they come; each ends with a <see cref="ChatEvent.Finished"/>. Read once.</summary>
    /// <param name="cancel">Cancels the replies.</param>
    /// <exception cref="OperationCanceledException">The request was cancelled.</exception>
    /// <exception cref="EngineTimeoutException">It waited or took too long.</exception>
    /// <exception cref="Tensors.PunaException">It failed, or the filter cannot judge the reply, which then is not shown.</exception>
    /// <exception cref="InvalidOperationException">The events are being read already.</exception>
    public async IAsyncEnumerable<ChatEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancel = default)
    {
        if (Interlocked.Exchange(ref _isRead, 1) != 0)
        {
            throw new InvalidOperationException("the events of a reply are read once");
        }

        if (_handle is null)
        {
            for (int i = 0; i < _choices; i++)
            {
                yield return Tell(new ChatEvent.Finished(i, ChatFinishReason.ContentFilter, null));
            }

            yield break;
        }

        try
        {
            var events = new List<ChatEvent>();
            ChannelReader<TokenEvent> tokens = _handle.Events;
            int open = _choices;
            while (open > 0 && await tokens.WaitToReadAsync(cancel).ConfigureAwait(false))
            {
                while (open > 0 && tokens.TryRead(out TokenEvent token))
                {
                    ReplyReader reply = _replies[token.Choice];
                    if (reply.IsDone)
                    {
                        continue;
                    }

                    reply.Push(token, events);
                    open -= reply.IsDone ? 1 : 0;
                    if (_filter is null)
                    {
                        foreach (ChatEvent found in events)
                        {
                            yield return Tell(found);
                        }

                        events.Clear();
                    }
                    else if (reply.IsDone)
                    {
                        List<ChatEvent> own = events.FindAll(found => found.Choice == token.Choice);
                        events.RemoveAll(found => found.Choice == token.Choice);
                        bool isAllowed = (await _filter.CheckAsync(FilterGate.Answered(_request!.Messages, Message(own)), cancel).ConfigureAwait(false)).IsAllowed;
                        foreach (ChatEvent found in isAllowed ? own : [new ChatEvent.Finished(token.Choice, ChatFinishReason.ContentFilter, null)])
                        {
                            yield return Tell(found);
                        }
                    }
                }
            }

            // The engine ends what was cancelled with an error; where it ended without a word, nothing must pass for a whole reply.
            if (open > 0)
            {
                throw new OperationCanceledException("the request was cancelled");
            }
        }
        finally
        {
            _handle.Cancel();
        }
    }

    /// <summary>Ends the replies at the engine's next step. Harmless where they have ended.</summary>
    public void Cancel() => _handle?.Cancel();

    /// <summary>As <see cref="Cancel"/>.</summary>
    public void Dispose() => Cancel();

    private ChatEvent Tell(ChatEvent found)
    {
        Said?.Invoke(found);
        return found;
    }

    private static ChatMessage Message(List<ChatEvent> events)
    {
        var text = new StringBuilder();
        var calls = new List<(string Id, string Name, StringBuilder Arguments)>();
        foreach (ChatEvent found in events)
        {
            switch (found)
            {
                case ChatEvent.TextDelta delta:
                    text.Append(delta.Text);
                    break;
                case ChatEvent.ToolCallStart start:
                    calls.Add((start.Id, start.Name, new StringBuilder()));
                    break;
                case ChatEvent.ToolArgumentsDelta delta:
                    calls[delta.Index].Arguments.Append(delta.Arguments);
                    break;
            }
        }

        // Filters read contents: what is asked of tools is judged like what is said.
        foreach ((_, string name, StringBuilder arguments) in calls)
        {
            text.Append(text.Length > 0 ? "\n" : "").Append(name).Append(' ').Append(arguments);
        }

        return new ChatMessage(ChatRole.Assistant, text.ToString())
        {
            ToolCalls = calls.Count == 0 ? null : [.. calls.Select(static call => new ToolCall(call.Name, call.Arguments.ToString()) { Id = call.Id })],
        };
    }

    internal static ChatReply Refused(int promptTokens, int choices) => new(promptTokens, choices);
}
