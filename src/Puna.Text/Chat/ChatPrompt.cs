using Puna.Text.Tools;

namespace Puna.Text.Chat;

/// <summary>A conversation as a format lays it out, with the tools the model may call.</summary>
public sealed record ChatPrompt
{
    /// <summary>The messages, at least one.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>The tools.</summary>
    public IReadOnlyList<ChatTool> Tools { get; init; } = [];

    /// <summary>
    /// Further variables for a chat template, a JSON object, or null. Templates take what they know; of the formats built in, those after a published template know
    /// <c>date_string</c>, <c>tools_in_user_message</c>, <c>builtin_tools</c> and <c>custom_tools</c>, and the others none.
    /// </summary>
    public string? Variables { get; init; }

    /// <summary>Whether the assistant's reply is to follow.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>Whether there is more in it than messages.</summary>
    internal bool HasTools
    {
        get
        {
            if (Tools.Count > 0 || Variables is not null)
                return true;
            foreach (ChatMessage message in Messages)
            {
                if (message.ToolCalls is { Count: > 0 })
                    return true;
            }

            return false;
        }
    }
}
