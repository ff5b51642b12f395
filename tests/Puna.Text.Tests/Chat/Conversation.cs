using System.Text.Json;
using Puna.Text.Chat;
using Puna.Text.Tools;

namespace Puna.Text.Tests.Chat;

/// <summary>Short ways to write conversations in tests.</summary>
internal static class Conversation
{
    public static ChatMessage Sys(string content) => new(ChatRole.System, content);

    public static ChatMessage User(string content) => new(ChatRole.User, content);

    public static ChatMessage Assistant(string content) => new(ChatRole.Assistant, content);

    public static ChatMessage Tool(string content) => new(ChatRole.Tool, content);

    /// <summary>The messages of a golden's line.</summary>
    public static ChatMessage[] Read(JsonElement messages) => [.. messages.EnumerateArray().Select(static m => new ChatMessage(
        m.GetProperty("role").GetString() switch { "system" => ChatRole.System, "user" => ChatRole.User, "assistant" => ChatRole.Assistant, _ => ChatRole.Tool },
        m.TryGetProperty("content", out JsonElement content) ? content.GetString() ?? "" : "")
    {
        ToolCalls = m.TryGetProperty("tool_calls", out JsonElement calls) ? [.. calls.EnumerateArray().Select(static c => c.GetProperty("function")).Select(static f => new ToolCall(f.GetProperty("name").GetString()!, f.GetProperty("arguments").GetRawText()))] : null,
        ToolName = m.TryGetProperty("name", out JsonElement name) ? name.GetString() : null,
    })];

    /// <summary>All of a golden's line: messages, tools, and other variables; null where it says what a conversation here cannot say (the answer of a tool that is no text).</summary>
    public static ChatPrompt? ReadPrompt(JsonElement line)
    {
        JsonElement messages = line.GetProperty("messages");
        if (messages.EnumerateArray().Any(static m => m.TryGetProperty("content", out JsonElement content) && content.ValueKind is not (JsonValueKind.String or JsonValueKind.Null)))
            return null;
        string[] known = ["messages", "tools", "add_generation_prompt", "rendered", "error"];
        JsonProperty[] others = [.. line.EnumerateObject().Where(p => !known.Contains(p.Name))];
        return new ChatPrompt
        {
            Messages = Read(messages),
            Tools = line.TryGetProperty("tools", out JsonElement tools) && tools.ValueKind == JsonValueKind.Array ? [.. tools.EnumerateArray().Select(static t => t.GetProperty("function")).Select(ReadTool)] : [],
            Variables = others.Length == 0 ? null : "{" + string.Join(',', others.Select(static p => p.ToString())) + "}",
            AddGenerationPrompt = line.GetProperty("add_generation_prompt").GetBoolean(),
        };
    }

    private static ChatTool ReadTool(JsonElement function) => new(
        function.GetProperty("name").GetString()!,
        function.TryGetProperty("description", out JsonElement description) ? description.GetString() : null,
        function.TryGetProperty("parameters", out JsonElement parameters) ? parameters.GetRawText() : null);
}
