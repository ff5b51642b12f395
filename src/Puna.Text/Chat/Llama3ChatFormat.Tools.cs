using System.Text.Json;
using Puna.Tensors;
using Puna.Text.Templates;
using Puna.Text.Tools;

namespace Puna.Text.Chat;

/// <content>Tools: by Meta's code and prompts in one of their styles, or by the published templates.</content>
public sealed partial class Llama3ChatFormat
{
    private const string PythonTag = "<|python_tag|>";

    /// <summary>How tools are told; not for the published templates, which have their own way.</summary>
    public ToolStyle ToolStyle { get; private init; }

    // Told with the tools.
    private DateOnly Today { get; init; }

    /// <summary>The same format with another way to tell of tools.</summary>
    /// <param name="style">The way.</param>
    /// <param name="today">The date that the model is told with its tools; today's where null.</param>
    /// <exception cref="InvalidOperationException">It is that of a published template, or Llama 3, whose models know no tools.</exception>
    public Llama3ChatFormat WithTools(ToolStyle style, DateOnly? today = null) => _date is null && _awaitsTools
        ? new(Name, _trims, _awaitsTools, _date) { ToolStyle = style, Today = today ?? DateOnly.FromDateTime(DateTime.Now) }
        : throw new InvalidOperationException($"{Name} has its own way to tell of tools");

    /// <inheritdoc/>
    private protected override bool HasToolRole => _awaitsTools || _date is not null;

    /// <inheritdoc/>
    private protected override void WriteTools(ChatPrompt prompt, List<ChatPiece> pieces)
    {
        if (_date is not null)
        {
            WritePublished(prompt, _date, pieces);
            return;
        }

        if (ToolStyle == ToolStyle.System)
        {
            base.WriteTools(prompt, pieces);
            return;
        }

        IReadOnlyList<ChatMessage> messages = MetaTools.Tell(prompt.Messages, prompt.Tools, ToolStyle, Today);
        bool hasEnvironment = MetaTools.HasEnvironment(prompt.Tools, ToolStyle);
        pieces.Add(ChatPiece.Control("<|begin_of_text|>"));
        for (int i = 0; i < messages.Count; i++)
        {
            if (messages[i] is not { Role: ChatRole.Assistant, ToolCalls: { Count: > 0 } calls })
            {
                WriteMessage(messages, i, pieces);
                continue;
            }

            WriteHeader("assistant", pieces);
            if (messages[i].Content.Length > 0)
                pieces.Add(ChatPiece.Of(messages[i].Content));
            bool hasBuiltIn = MetaTools.WriteCalls(calls, ToolStyle, PythonTag, pieces);
            // As the model ends them there (spec llama1-3.md 6.7); otherwise the message says how it ended.
            bool isMessage = messages[i].AwaitsTool || (hasEnvironment && (hasBuiltIn || ToolStyle == ToolStyle.Json));
            pieces.Add(ChatPiece.Control(isMessage ? "<|eom_id|>" : "<|eot_id|>"));
        }

        if (prompt.AddGenerationPrompt)
            WriteHeader("assistant", pieces);
    }

    // What the published templates of 3.1, 3.2 and 3.3 make of tools, calls and variables. A message with several calls, which they refuse, becomes several.
    private void WritePublished(ChatPrompt prompt, string date, List<ChatPiece> pieces)
    {
        PublishedVariables variables = PublishedVariables.Read(prompt, _knowsBuiltIns);
        date = variables.Date ?? date;
        IReadOnlyList<ChatMessage> messages = prompt.Messages;
        bool hasSystem = messages[0].Role == ChatRole.System;
        int next = hasSystem ? 1 : 0;

        string system = (variables.BuiltIns is not null || variables.Tools is not null ? "Environment: ipython\n" : "")
            + (variables.BuiltIns is null ? "" : "Tools: " + string.Join(", ", variables.BuiltIns.Where(static name => name != "code_interpreter")) + "\n\n")
            + "Cutting Knowledge Date: December 2023\nToday Date: " + date + "\n\n";
        if (variables.Tools is not null && !variables.ToolsInUserMessage)
        {
            system += "You have access to the following functions. To call a function, please respond with JSON for a function call." + PublishedVariables.Instruction
                + string.Concat(variables.Tools.Select(static tool => tool + "\n\n"));
        }

        pieces.Add(ChatPiece.Control("<|begin_of_text|>"));
        WriteHeader("system", pieces);
        pieces.Add(ChatPiece.Of(system + (hasSystem ? PythonText.Strip(messages[0].Content) : "")));
        pieces.Add(ChatPiece.Control("<|eot_id|>"));
        if (variables.Tools is not null && variables.ToolsInUserMessage)
        {
            if (next == messages.Count)
                throw new TemplateException("TemplateError", "Cannot put tools in the first user message when there's no first user message!");
            WriteHeader("user", pieces);
            pieces.Add(ChatPiece.Of(
                "Given the following functions, please respond with a JSON for a function call with its proper arguments that best answers the given prompt.\n\n"
                + PublishedVariables.Instruction + string.Concat(variables.Tools.Select(static tool => tool + "\n\n")) + PythonText.Strip(messages[next].Content)));
            pieces.Add(ChatPiece.Control("<|eot_id|>"));
            next++;
        }

        for (; next < messages.Count; next++)
        {
            if (messages[next] is { Role: ChatRole.Assistant, ToolCalls: { Count: > 0 } calls })
            {
                foreach (ToolCall call in calls)
                    WritePublishedCall(call, variables, pieces);
            }
            else
            {
                WriteMessage(messages, next, pieces);
            }
        }

        if (prompt.AddGenerationPrompt)
            WriteHeader("assistant", pieces);
    }

    private static void WritePublishedCall(ToolCall call, PublishedVariables variables, List<ChatPiece> pieces)
    {
        WriteHeader("assistant", pieces);
        if (variables.BuiltIns?.Contains(call.Name) == true && JsonTranscoder.Canonical(call.Arguments) is { } arguments)
        {
            using JsonDocument json = JsonDocument.Parse(arguments, new JsonDocumentOptions { MaxDepth = 128 });
            pieces.Add(ChatPiece.Control(PythonTag));
            pieces.Add(ChatPiece.Of(call.Name + ".call(" + string.Join(", ", json.RootElement.EnumerateObject().Select(static argument =>
                JsonStrings.Name(argument) + "=\"" + (argument.Value.ValueKind == JsonValueKind.String ? JsonStrings.Read(argument.Value) : argument.Value.GetRawText()) + "\"")) + ")"));
        }
        else
        {
            pieces.Add(ChatPiece.Of("{\"name\": \"" + call.Name + "\", \"parameters\": " + ToolJson.Arguments(call) + "}"));
        }

        pieces.Add(ChatPiece.Control(variables.BuiltIns is null ? "<|eot_id|>" : "<|eom_id|>"));
    }
}
