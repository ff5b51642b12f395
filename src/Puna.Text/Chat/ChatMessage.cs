using Puna.Text.Tools;

namespace Puna.Text.Chat;

/// <summary>One message of a conversation.</summary>
/// <param name="Role">Who it is from.</param>
/// <param name="Content">Its text, which is data: nothing in it is ever taken for a control token.</param>
public sealed record ChatMessage(ChatRole Role, string Content)
{
    /// <summary>Pictures in a user's message, in the order of their places in the text; formats of models that see none refuse them.</summary>
    public IReadOnlyList<ChatImage> Images { get; init; } = [];

    /// <summary>
    /// The assistant stopped to await a tool's answer: the message ends with <c>&lt;|eom_id|&gt;</c> in place of <c>&lt;|eot_id|&gt;</c> (Llama 3.1 and later,
    /// spec llama1-3.md 6.5). Formats that do not know the difference take no notice.
    /// </summary>
    public bool AwaitsTool { get; init; }

    /// <summary>Retrieved text that follows a user's message after a blank line (Llama 3.1 and later); formats that do not know it refuse it.</summary>
    public string? Context { get; init; }

    /// <summary>Whom the message is for (Code Llama 70B Instruct, spec llama1-3.md 6.4); other formats take no notice.</summary>
    public string? Destination { get; init; }

    /// <summary>Calls of tools that the assistant makes with this message; null or empty where it makes none.</summary>
    public IReadOnlyList<ToolCall>? ToolCalls { get; init; }

    /// <summary>In the answer of a tool, the <see cref="ToolCall.Id"/> it answers, or null.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>In the answer of a tool, the tool's name, or null.</summary>
    public string? ToolName { get; init; }
}
