using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Runtime.Chat;
using Puna.Runtime.Sampling;

namespace Puna.Server.Http;

/// <summary>One reply of a conversation, put together from its events: what a stream says in pieces, in one.</summary>
internal sealed class CollectedReply
{
    private readonly List<CollectedPart> _parts = [];

    /// <summary>Its text and calls in the order they came; a text is not empty.</summary>
    public IReadOnlyList<CollectedPart> Parts => _parts;

    /// <summary>Its text, also what comes behind calls.</summary>
    public string Text => string.Concat(_parts.Where(static p => p.Call is null).Select(static p => p.Text));

    /// <summary>Its calls.</summary>
    public IReadOnlyList<(string Id, string Name, string Arguments)> Calls => [.. _parts.Where(static p => p.Call is not null).Select(static p => (p.Call!.Value.Id, p.Call.Value.Name, p.Text))];

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
                LogProbs.AddRange(delta.LogProbs);
                if (delta.Text.Length > 0 && _parts is not [.., { Call: null }])
                {
                    _parts.Add(new CollectedPart(null));
                }

                if (delta.Text.Length > 0)
                {
                    _parts[^1].Add(delta.Text);
                }

                break;
            case ChatEvent.ToolCallStart start:
                _parts.Add(new CollectedPart((start.Id, start.Name)));
                break;
            case ChatEvent.ToolArgumentsDelta delta:
                // A call is whole before anything else begins.
                _parts[^1].Add(delta.Arguments);
                break;
            case ChatEvent.Finished end:
                (Finish, StopString) = (end.Reason, end.StopString);
                break;
        }
    }
}
