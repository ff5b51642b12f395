using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Runtime.Chat;
using Puna.Runtime.Sampling;

namespace Puna.Server.Http;

/// <summary>One reply of a conversation, put together from its events: what a stream says in pieces, in one.</summary>
internal sealed class CollectedReply
{
    private readonly StringBuilder _text = new();
    private readonly List<(string Id, string Name, StringBuilder Arguments)> _calls = [];

    /// <summary>Its text.</summary>
    public string Text => _text.ToString();

    /// <summary>Its calls.</summary>
    public IReadOnlyList<(string Id, string Name, string Arguments)> Calls => [.. _calls.Select(static c => (c.Id, c.Name, c.Arguments.ToString()))];

    /// <summary>Log-probabilities of its tokens, where they were asked for.</summary>
    public List<TokenLogProbs> LogProbs { get; } = [];

    /// <summary>Why it ended.</summary>
    public ChatFinishReason Finish { get; private set; } = ChatFinishReason.Stop;

    /// <summary>The stop string that ended it, or null.</summary>
    public string? StopString { get; private set; }

    /// <summary>Reads all replies of a request.</summary>
    public static async Task<CollectedReply[]> ReadAsync(ChatReply reply, int choices, CancellationToken cancel)
    {
        CollectedReply[] replies = [.. Enumerable.Range(0, choices).Select(static _ => new CollectedReply())];
        await foreach (ChatEvent found in reply.ReadAsync(cancel))
        {
            replies[found.Choice].Add(found);
        }

        return replies;
    }

    /// <summary>Arguments of a call as an object; those of one that was cut short are none, and become an empty one.</summary>
    public static JsonObject Arguments(string arguments)
    {
        try
        {
            return JsonNode.Parse(arguments) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    /// <summary>Takes an event.</summary>
    public void Add(ChatEvent found)
    {
        switch (found)
        {
            case ChatEvent.TextDelta delta:
                _text.Append(delta.Text);
                LogProbs.AddRange(delta.LogProbs);
                break;
            case ChatEvent.ToolCallStart start:
                _calls.Add((start.Id, start.Name, new StringBuilder()));
                break;
            case ChatEvent.ToolArgumentsDelta delta:
                _calls[delta.Index].Arguments.Append(delta.Arguments);
                break;
            case ChatEvent.Finished end:
                (Finish, StopString) = (end.Reason, end.StopString);
                break;
        }
    }
}
