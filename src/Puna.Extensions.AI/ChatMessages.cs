using System.Text;
using Microsoft.Extensions.AI;
using Puna.Text.Chat;
using Puna.Text.Tools;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatRole = Microsoft.Extensions.AI.ChatRole;

namespace Puna.Extensions.AI;

/// <summary>Turns messages of the abstractions into those of a chat format.</summary>
internal static class ChatMessages
{
    /// <summary>The messages of a conversation.</summary>
    /// <param name="messages">The conversation; not changed.</param>
    /// <param name="instructions">Put before the first system message, or null.</param>
    /// <param name="seesImages">Whether the model sees pictures.</param>
    /// <exception cref="NotSupportedException">A message has a role or a content that the model has no place for.</exception>
    public static List<Puna.Text.Chat.ChatMessage> Convert(IEnumerable<ChatMessage> messages, string? instructions, bool seesImages)
    {
        var converted = new List<Puna.Text.Chat.ChatMessage>();
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (ChatMessage message in messages)
        {
            Add(message, converted, names, seesImages);
        }

        if (!string.IsNullOrEmpty(instructions))
        {
            if (converted.Count > 0 && converted[0].Role == Puna.Text.Chat.ChatRole.System)
            {
                converted[0] = converted[0] with { Content = instructions + "\n\n" + converted[0].Content };
            }
            else
            {
                converted.Insert(0, new Puna.Text.Chat.ChatMessage(Puna.Text.Chat.ChatRole.System, instructions));
            }
        }

        return converted;
    }

    private static void Add(ChatMessage message, List<Puna.Text.Chat.ChatMessage> converted, Dictionary<string, string> names, bool seesImages)
    {
        var text = new StringBuilder();
        var calls = new List<ToolCall>();
        var images = new List<ChatImage>();
        int answers = 0;
        foreach (AIContent content in message.Contents)
        {
            switch (content)
            {
                case TextContent part:
                    text.Append(part.Text);
                    break;
                case FunctionCallContent call:
                    names[call.CallId] = call.Name;
                    calls.Add(new ToolCall(call.Name, Arguments.Write(call.Arguments)) { Id = call.CallId });
                    break;
                case FunctionResultContent result:
                    // Each answer is a message of its own.
                    answers++;
                    converted.Add(new Puna.Text.Chat.ChatMessage(Puna.Text.Chat.ChatRole.Tool, Arguments.Result(result.Result))
                    {
                        ToolCallId = result.CallId,
                        ToolName = names.GetValueOrDefault(result.CallId),
                    });
                    break;
                case TextReasoningContent or UsageContent or ErrorContent:
                    // Nothing that a Llama is told.
                    break;
                case DataContent or UriContent when !seesImages:
                    throw new NotSupportedException("images: expected text alone, got a content of data, and the model does not see");
                case DataContent data:
                    images.Add(Image(data, text.Length));
                    break;
                case UriContent uri when uri.Uri.Scheme == "data":
                    images.Add(Image(new DataContent(uri.Uri, uri.MediaType), text.Length));
                    break;
                case UriContent:
                    throw new NotSupportedException("images: expected a data: URI, got another one, and nothing is fetched");
                default:
                    throw new NotSupportedException($"message content: expected text, calls and results of functions, got {content.GetType().Name}");
            }
        }

        if (text.Length == 0 && calls.Count == 0 && images.Count == 0 && answers > 0)
        {
            return;
        }

        converted.Add(new Puna.Text.Chat.ChatMessage(Role(message.Role), text.ToString()) { ToolCalls = calls.Count == 0 ? null : calls, Images = images });
    }

    private static ChatImage Image(DataContent data, int at) => data.HasTopLevelMediaType("image")
        ? new ChatImage { At = at, Data = data.Data.ToArray() }
        : throw new NotSupportedException($"message content: expected data of an image, got {data.MediaType}");

    private static Puna.Text.Chat.ChatRole Role(ChatRole role) => role.Value.ToLowerInvariant() switch
    {
        "system" or "developer" => Puna.Text.Chat.ChatRole.System,
        "user" => Puna.Text.Chat.ChatRole.User,
        "assistant" => Puna.Text.Chat.ChatRole.Assistant,
        "tool" => Puna.Text.Chat.ChatRole.Tool,
        _ => throw new NotSupportedException($"message role: expected system, user, assistant or tool, got {role.Value}"),
    };
}
