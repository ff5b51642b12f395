using System.Text.Json;
using Puna.Text.Chat;

namespace Puna.Text.Tests.Chat;

/// <summary>Short ways to write conversations in tests.</summary>
internal static class Conversation
{
    public static ChatMessage Sys(string content) => new(ChatRole.System, content);

    public static ChatMessage User(string content) => new(ChatRole.User, content);

    public static ChatMessage Assistant(string content) => new(ChatRole.Assistant, content);

    public static ChatMessage Tool(string content) => new(ChatRole.Tool, content);

    /// <summary>The messages of a golden's line.</summary>
    public static ChatMessage[] Read(JsonElement messages) => [.. messages.EnumerateArray().Select(m => new ChatMessage(
        m.GetProperty("role").GetString() switch { "system" => ChatRole.System, "user" => ChatRole.User, "assistant" => ChatRole.Assistant, _ => ChatRole.Tool },
        m.GetProperty("content").GetString()!))];
}
