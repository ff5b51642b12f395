using System.Text;
using System.Text.Json;
using Puna.Cli.Hosting;
using Puna.Tensors;
using Puna.Text.Chat;
using Puna.Text.Templates;

namespace Puna.Cli.Guarding;

/// <summary>
/// Reads what is to be judged: a line of a <c>.jsonl</c> file is <c>{"text":...}</c>, <c>{"prompt":...,"response":...}</c> or <c>{"messages":[{"role":...,"content":...},...]}</c>; of any other file it is a text. Other keys are
/// ignored.
/// </summary>
internal static class GuardInput
{
    /// <summary>The conversations, each judged by its last message.</summary>
    /// <param name="path">The file; - is standard input, as JSON lines.</param>
    /// <param name="role">Who said a text that stands alone.</param>
    /// <exception cref="PunaException">The file is missing, or a line is not what it should be.</exception>
    public static List<IReadOnlyList<ChatMessage>> Read(string path, ChatRole role)
    {
        bool isJson = path == TextLines.StandardInput || path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase);
        var conversations = new List<IReadOnlyList<ChatMessage>>();
        int number = 0;
        foreach (string line in new TextLines(path, isRaw: true).Read())
        {
            number++;
            if (!isJson)
            {
                conversations.Add([new ChatMessage(role, line)]);
            }
            else if (!string.IsNullOrWhiteSpace(line))
            {
                conversations.Add(Parse(line, path, number, role));
            }
        }

        return conversations;
    }

    private static IReadOnlyList<ChatMessage> Parse(string line, string path, int number, ChatRole role)
    {
        FileFormatException Wrong(string expected, Exception? inner = null) => new(path, $"line {number}: expected {expected}", inner: inner);
        try
        {
            using JsonDocument json = JsonDocument.Parse(Encoding.UTF8.GetBytes(line), new JsonDocumentOptions { MaxDepth = 32 });
            JsonElement root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("messages", out JsonElement messages) && messages.ValueKind == JsonValueKind.Array && messages.GetArrayLength() > 0)
            {
                return [.. messages.EnumerateArray().Select(message => Message(message) ?? throw Wrong("messages with a role (system, user, assistant or tool) and a content, got something else"))];
            }

            if (Text(root, "prompt") is string prompt)
            {
                ChatMessage user = new(ChatRole.User, prompt);
                return Text(root, "response") is string response ? [user, new ChatMessage(ChatRole.Assistant, response)] : [user];
            }

            return Text(root, "text") is string text ? [new ChatMessage(role, text)] : throw Wrong("a JSON object with \"text\", \"prompt\" or \"messages\", got something else");
        }
        catch (JsonException e)
        {
            throw Wrong($"a JSON object, got something else at byte {e.BytePositionInLine}", e);
        }
    }

    private static string? Text(JsonElement json, string key) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? JsonStrings.Read(value) : null;

    private static ChatMessage? Message(JsonElement json)
    {
        ChatRole? role = Text(json, "role") switch
        {
            "system" => ChatRole.System,
            "user" => ChatRole.User,
            "assistant" or "agent" => ChatRole.Assistant,
            "tool" or "ipython" => ChatRole.Tool,
            _ => null,
        };
        return role is ChatRole known && Text(json, "content") is string content ? new ChatMessage(known, content) : null;
    }
}
