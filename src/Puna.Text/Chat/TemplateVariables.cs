using System.Text.Json;
using Puna.Tensors;
using Puna.Text.Templates;
using Puna.Text.Tools;

namespace Puna.Text.Chat;

/// <summary>What a chat template is given of a conversation.</summary>
internal static class TemplateVariables
{
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 128 };

    /// <summary>The variables.</summary>
    /// <param name="prompt">The conversation.</param>
    /// <param name="bos">The beginning-of-text token.</param>
    /// <param name="eos">The end-of-text token.</param>
    /// <param name="marked">Applied to every text that comes from outside.</param>
    /// <exception cref="PunaException">Schemas or variables are no JSON objects.</exception>
    public static JsonDocument Of(ChatPrompt prompt, string bos, string eos, Func<string, string> marked)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            if (prompt.Variables is not null)
                WriteOthers(json, prompt.Variables, marked);
            json.WriteStartArray("messages");
            foreach (ChatMessage message in prompt.Messages)
                WriteMessage(json, message, marked);
            json.WriteEndArray();
            json.WritePropertyName("tools");
            if (prompt.Tools.Count == 0)
            {
                json.WriteNullValue();
            }
            else
            {
                json.WriteStartArray();
                foreach (ChatTool tool in prompt.Tools)
                    ToolJson.Write(json, tool, marked);
                json.WriteEndArray();
            }

            json.WriteBoolean("add_generation_prompt", prompt.AddGenerationPrompt);
            json.WriteString("bos_token", bos);
            json.WriteString("eos_token", eos);
            json.WriteEndObject();
        }

        return JsonDocument.Parse(bytes.GetBuffer().AsMemory(0, (int)bytes.Length), Reading);
    }

    private static void WriteMessage(Utf8JsonWriter json, ChatMessage message, Func<string, string> marked)
    {
        json.WriteStartObject();
        json.WriteString("role", message.Role switch { ChatRole.System => "system", ChatRole.User => "user", ChatRole.Assistant => "assistant", _ => "tool" });
        WriteContent(json, message, marked);
        if (message.ToolCallId is not null)
            json.WriteString("tool_call_id", marked(message.ToolCallId));
        if (message.ToolName is not null)
            json.WriteString("name", marked(message.ToolName));
        if (message.ToolCalls is { Count: > 0 } calls)
        {
            json.WriteStartArray("tool_calls");
            foreach (ToolCall call in calls)
                WriteCall(json, call, marked);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter json, ToolCall call, Func<string, string> marked)
    {
        json.WriteStartObject();
        if (call.Id.Length > 0)
            json.WriteString("id", marked(call.Id));
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", marked(call.Name));
        json.WritePropertyName("arguments");
        // Templates expect an object; what broke off and is none is told as the text it is.
        if (JsonTranscoder.Canonical(call.Arguments) is { } arguments)
        {
            using JsonDocument value = JsonDocument.Parse(arguments, Reading);
            ToolJson.Write(json, value.RootElement, marked);
        }
        else
        {
            json.WriteStringValue(marked(call.Arguments));
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    // Text, or where there are pictures, a list of parts as the published templates of vision models take it.
    private static void WriteContent(Utf8JsonWriter json, ChatMessage message, Func<string, string> marked)
    {
        if (message.Images.Count == 0)
        {
            json.WriteString("content", marked(message.Content));
            return;
        }

        json.WriteStartArray("content");
        int at = 0;
        foreach (ChatImage image in message.Images)
        {
            WriteText(at, image.At);
            json.WriteStartObject();
            json.WriteString("type", "image");
            json.WriteEndObject();
            at = image.At;
        }

        WriteText(at, message.Content.Length);
        json.WriteEndArray();

        void WriteText(int from, int to)
        {
            if (to == from)
                return;
            json.WriteStartObject();
            json.WriteString("type", "text");
            json.WriteString("text", marked(message.Content[from..to]));
            json.WriteEndObject();
        }
    }

    private static void WriteOthers(Utf8JsonWriter json, string text, Func<string, string> marked)
    {
        using JsonDocument variables = ToolJson.Parse(text, "template variables");
        foreach (JsonProperty variable in variables.RootElement.EnumerateObject())
        {
            // These are what the prompt is made of, and no variable takes their place.
            string name = JsonStrings.Name(variable);
            if (name is "messages" or "tools" or "add_generation_prompt" or "bos_token" or "eos_token")
                continue;
            json.WritePropertyName(name);
            ToolJson.Write(json, variable.Value, marked);
        }
    }
}
