using System.Text;
using System.Text.Json.Nodes;
using Puna.Runtime.Chat;
using Puna.Server.Http;
using Puna.Text.Chat;

namespace Puna.Server.Operations;

/// <summary>What is said in a conversation, as OpenTelemetry's conventions write it: messages of parts, as JSON.</summary>
internal static class MessageContent
{
    /// <summary>Whether the environment asks for it, by the switch that other libraries know.</summary>
    public static bool IsAskedFor => bool.TryParse(Environment.GetEnvironmentVariable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"), out bool asked) && asked;

    /// <summary>System messages, or null where there is none.</summary>
    public static string? Instructions(IEnumerable<ChatMessage> messages)
    {
        JsonNode[] parts = [.. messages.Where(static m => m.Role == ChatRole.System).Select(static m => Text(m.Content))];
        return parts.Length == 0 ? null : Write(new JsonArray(parts));
    }

    /// <summary>All other messages.</summary>
    public static string Input(IEnumerable<ChatMessage> messages) => Write(new JsonArray([.. messages.Where(static m => m.Role != ChatRole.System).Select(static m => Message(m))]));

    /// <summary>Tools, or null where there is none.</summary>
    public static string? Tools(IReadOnlyList<ToolDefinition> tools) => tools.Count == 0 ? null : Write(new JsonArray([.. tools.Select(static t =>
        (JsonNode)new JsonObject { ["type"] = "function", ["name"] = t.Name, ["description"] = t.Description, ["parameters"] = t.Parameters is null ? null : JsonNode.Parse(t.Parameters) })]));

    /// <summary>Replies.</summary>
    public static string Output(IEnumerable<CollectedReply> replies) => Write(new JsonArray([.. replies.Select(static r =>
    {
        JsonObject message = Of("assistant", r.Text, r.Calls);
        message["finish_reason"] = OpenAI.ChatCompletionJson.Reason(r.Finish);
        return (JsonNode)message;
    })]));

    private static JsonNode Message(ChatMessage message) => message.Role == ChatRole.Tool
        ? new JsonObject { ["role"] = "tool", ["parts"] = new JsonArray(new JsonObject { ["type"] = "tool_call_response", ["id"] = message.ToolCallId, ["response"] = message.Content }) }
        : Of(message.Role == ChatRole.User ? "user" : "assistant", message.Content, [.. (message.ToolCalls ?? []).Select(static c => (c.Id ?? "", c.Name, c.Arguments))]);

    private static JsonObject Of(string role, string text, IReadOnlyList<(string Id, string Name, string Arguments)> calls)
    {
        var parts = new JsonArray();
        if (text.Length > 0)
        {
            parts.Add(Text(text));
        }

        foreach ((string id, string name, string arguments) in calls)
        {
            parts.Add((JsonNode)new JsonObject { ["type"] = "tool_call", ["id"] = id, ["name"] = name, ["arguments"] = CollectedReply.Arguments(arguments) });
        }

        return new JsonObject { ["role"] = role, ["parts"] = parts };
    }

    private static JsonNode Text(string text) => new JsonObject { ["type"] = "text", ["content"] = text };

    private static string Write(JsonArray array) => Encoding.UTF8.GetString(JsonBody.Bytes(array));
}
