using System.Text;
using System.Text.Json;
using Puna.Server.Http;
using Puna.Text.Chat;
using Puna.Text.Tools;

namespace Puna.Server.OpenAI;

/// <summary>Reads the messages of OpenAI's chat requests.</summary>
internal static class ChatMessages
{
    /// <summary>Most messages of a request.</summary>
    public const int Most = 4096;

    /// <summary>Reads them.</summary>
    /// <param name="body">The request.</param>
    /// <param name="model">The model, which may see pictures.</param>
    public static IReadOnlyList<ChatMessage> Read(RequestObject body, ServedModel model)
    {
        IReadOnlyList<RequestObject> items = body.Objects("messages", Most) ?? throw body.Missing("messages");
        if (items.Count == 0)
        {
            throw ApiException.Bad("messages", "messages: expected at least one, got none");
        }

        var calls = new Dictionary<string, string>(StringComparer.Ordinal);
        return [.. items.Select(item => Message(item, calls, model))];
    }

    /// <summary>The text of a content: a string, or parts of text one after the other.</summary>
    public static string Content(RequestObject message, string name = "content") => Content(message, name, null, []);

    /// <summary>A user's message: text, and pictures where they stand in it.</summary>
    /// <param name="message">The message.</param>
    /// <param name="model">The model, which may see pictures.</param>
    public static ChatMessage User(RequestObject message, ServedModel model)
    {
        var images = new List<ChatImage>();
        return message.Has("content") ? new ChatMessage(ChatRole.User, Content(message, "content", model, images)) { Images = images } : throw message.Missing("content");
    }

    // A model is given where pictures may stand.
    private static string Content(RequestObject message, string name, ServedModel? model, List<ChatImage> images)
    {
        if (message.Find(name) is not { } content)
        {
            return "";
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            return message.String(name)!;
        }

        var text = new StringBuilder();
        foreach (RequestObject part in message.Objects(name)!)
        {
            string type = part.RequireString("type");
            if (model is not null && type is "image_url" or "input_image")
            {
                images.Add(ImageFields.OfPart(part, text.Length, model));
                continue;
            }

            text.Append(type switch
            {
                "text" or "input_text" or "output_text" => part.RequireString("text"),
                "refusal" => part.RequireString("refusal"),
                "image_url" or "input_image" or "image" => throw ApiException.Unsupported(part.Path, $"{part.Path}: expected text, got a picture: these stand in a user's messages alone"),
                string other => throw ApiException.Bad(part.At("type"), $"{part.At("type")}: expected text, got {Tensors.PunaException.OneLine(other)}"),
            });
        }

        return text.ToString();
    }

    /// <summary>Arguments of an earlier call: a JSON object in a string, as OpenAI writes them, or an object.</summary>
    public static string Arguments(RequestObject function)
    {
        if (function.Find("arguments") is not { } arguments)
        {
            return "{}";
        }

        string text = arguments.ValueKind == JsonValueKind.String ? function.String("arguments")! : arguments.GetRawText();
        try
        {
            using JsonDocument parsed = JsonDocument.Parse(text.Length == 0 ? "{}" : text);
            if (parsed.RootElement.ValueKind == JsonValueKind.Object)
            {
                return text.Length == 0 ? "{}" : text;
            }
        }
        catch (JsonException)
        {
        }

        throw ApiException.Bad(function.At("arguments"), $"{function.At("arguments")}: expected a string with a JSON object, got something else");
    }

    private static ChatMessage Message(RequestObject message, Dictionary<string, string> calls, ServedModel model)
    {
        string role = message.RequireString("role");
        switch (role)
        {
            case "system" or "developer":
                return new ChatMessage(ChatRole.System, Require(message));
            case "user":
                return User(message, model);
            case "assistant":
                return Assistant(message, calls);
            case "tool":
                string id = message.RequireString("tool_call_id");
                return calls.TryGetValue(id, out string? name)
                    ? new ChatMessage(ChatRole.Tool, Require(message)) { ToolCallId = id, ToolName = name }
                    : throw ApiException.Bad(message.At("tool_call_id"), $"{message.At("tool_call_id")}: expected the id of an earlier call, got {Tensors.PunaException.OneLine(id)}");
            case "function":
                return new ChatMessage(ChatRole.Tool, Require(message)) { ToolName = message.String("name") };
            default:
                throw ApiException.Bad(message.At("role"), $"{message.At("role")}: expected system, developer, user, assistant or tool, got {Tensors.PunaException.OneLine(role)}");
        }
    }

    private static string Require(RequestObject message) => message.Has("content") ? Content(message) : throw message.Missing("content");

    private static ChatMessage Assistant(RequestObject message, Dictionary<string, string> calls)
    {
        var made = new List<ToolCall>();
        foreach (RequestObject call in message.Objects("tool_calls") ?? [])
        {
            RequestObject function = call.Object("function") ?? throw call.Missing("function");
            string id = call.String("id") ?? ToolCall.NewId(), name = function.RequireString("name");
            made.Add(new ToolCall(name, Arguments(function)) { Id = id });
            calls[id] = name;
        }

        return message.Has("content") || message.Has("refusal") || made.Count > 0
            ? new ChatMessage(ChatRole.Assistant, message.Has("content") ? Content(message) : message.String("refusal") ?? "") { ToolCalls = made.Count == 0 ? null : made }
            : throw message.Missing("content");
    }
}
