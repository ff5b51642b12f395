using Puna.Text.Tools;

namespace Puna.Text.Chat;

/// <content>Tools as Meta's documents tell them and Meta's encoder writes calls (spec llama4.md 7.3, 7.4).</content>
public sealed partial class Llama4ChatFormat
{
    private const string PythonStart = "<|python_start|>";

    /// <summary>How tools are told.</summary>
    public ToolStyle ToolStyle { get; private init; } = ToolStyle.Pythonic;

    /// <summary>The same format with another way to tell of tools.</summary>
    /// <param name="style">The way.</param>
    public Llama4ChatFormat WithTools(ToolStyle style) => new() { ToolStyle = style };

    /// <inheritdoc/>
    private protected override void WriteTools(ChatPrompt prompt, List<ChatPiece> pieces)
    {
        if (ToolStyle == ToolStyle.System)
        {
            base.WriteTools(prompt, pieces);
            return;
        }

        ChatMessage[] messages = [.. MetaTools.Tell(prompt.Messages, prompt.Tools, ToolStyle)];
        for (int i = 0; i < messages.Length; i++)
        {
            if (messages[i] is not { Role: ChatRole.Assistant, ToolCalls: { Count: > 0 } calls })
            {
                Write(new ArraySegment<ChatMessage>(messages, 0, i + 1), i, false, pieces);
                continue;
            }

            if (i == 0)
                pieces.Add(ChatPiece.Control("<|begin_of_text|>"));
            WriteHeader("assistant", pieces);
            if (messages[i].Content.Length > 0)
                pieces.Add(ChatPiece.Of(messages[i].Content));
            MetaTools.WriteCalls(calls, ToolStyle, PythonStart, pieces);
            // A message with calls awaits their answers.
            pieces.Add(ChatPiece.Control(EndOfMessage));
        }

        if (prompt.AddGenerationPrompt)
            WriteHeader("assistant", pieces);
    }
}
