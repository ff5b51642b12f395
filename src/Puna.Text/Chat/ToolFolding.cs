using System.Text;
using Puna.Text.Tools;

namespace Puna.Text.Chat;

/// <summary>
/// Tools for formats that have none: the system message tells them as JSON, with an instruction; calls become the JSON they were, and answers messages of the tool's
/// role or, where the format has no such role, of the user.
/// </summary>
internal static class ToolFolding
{
    /// <summary>What the system message says before the tools, one per line as JSON.</summary>
    public const string Before = "You can use these functions:\n";

    /// <summary>What it says after them.</summary>
    public const string After = "To use one, answer only with {\"name\": \"...\", \"parameters\": {...}}. The result comes back, and then you answer.";

    /// <summary>The conversation without tools.</summary>
    /// <param name="prompt">The conversation.</param>
    /// <param name="hasToolRole">Whether the format has a role for the answers of tools.</param>
    public static IReadOnlyList<ChatMessage> Fold(ChatPrompt prompt, bool hasToolRole)
    {
        var messages = new List<ChatMessage>();
        IReadOnlyList<ChatMessage> given = prompt.Messages;
        int from = given[0].Role == ChatRole.System ? 1 : 0;
        string system = from == 1 ? given[0].Content : "";
        if (prompt.Tools.Count > 0)
            messages.Add(new ChatMessage(ChatRole.System, Join(system, "\n\n", Instruction(prompt.Tools))));
        else if (from == 1)
            messages.Add(given[0]);
        for (int i = from; i < given.Count; i++)
        {
            ChatMessage message = given[i];
            if (message.Role == ChatRole.Tool && !hasToolRole)
            {
                AddUser(messages, new ChatMessage(ChatRole.User, Result(given, i)));
            }
            else if (message.Role == ChatRole.User && !hasToolRole && i > 0 && given[i - 1].Role == ChatRole.Tool)
            {
                AddUser(messages, message);
            }
            else if (message.Role == ChatRole.Assistant && message.ToolCalls is { Count: > 0 } calls)
            {
                string text = string.Join("; ", calls.Select(static call => Call(call)));
                messages.Add(new ChatMessage(ChatRole.Assistant, Join(message.Content, "\n", text)) { AwaitsTool = true, Destination = message.Destination });
            }
            else
            {
                messages.Add(message);
            }
        }

        return messages;
    }

    /// <summary>A call as JSON, as Llama 3.1 writes it.</summary>
    public static string Call(ToolCall call) => "{\"name\": " + PythonText.JsonString(call.Name) + ", \"parameters\": " + ToolJson.Arguments(call) + "}";

    private static string Instruction(IReadOnlyList<ChatTool> tools)
    {
        var text = new StringBuilder(Before);
        foreach (ChatTool tool in tools)
            text.Append(ToolJson.Declaration(tool, onlyFunction: true, indent: null)).Append('\n');
        return text.Append(After).ToString();
    }

    private static string Result(IReadOnlyList<ChatMessage> messages, int index)
    {
        ChatMessage answer = messages[index];
        string? name = answer.ToolName;
        for (int i = index - 1; i >= 0 && name is null && answer.ToolCallId is not null; i--)
            name = messages[i].ToolCalls?.FirstOrDefault(call => call.Id == answer.ToolCallId)?.Name;
        return (name is null ? "Result: " : $"Result of {name}: ") + answer.Content;
    }

    // Formats without the role want user and assistant to take turns: several answers, and what the user says to them, are one message.
    private static void AddUser(List<ChatMessage> messages, ChatMessage message)
    {
        if (messages.Count == 0 || messages[^1] is not { Role: ChatRole.User } last)
        {
            messages.Add(message);
            return;
        }

        int before = last.Content.Length + 1;
        messages[^1] = message with
        {
            Content = last.Content + "\n" + message.Content,
            Images = [.. last.Images, .. message.Images.Select(image => image with { At = image.At + before })],
        };
    }

    private static string Join(string first, string between, string second) => first.Length == 0 ? second : first + between + second;
}
