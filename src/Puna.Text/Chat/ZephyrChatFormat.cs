using System.Text;
using Puna.Tensors;

namespace Puna.Text.Chat;

/// <summary>
/// The format of Zephyr and TinyLlama Chat: <c>&lt;|user|&gt;</c>, a line break, the content, the end-of-text token, a line break. The role marks are plain
/// text, so that content which contains one is refused: the model could not tell it from a turn.
/// </summary>
public sealed class ZephyrChatFormat : ChatFormat
{
    private static readonly string[] Marks = ["<|system|>", "<|user|>", "<|assistant|>"];
    private static readonly ChatPiece Eos = new(ChatPieceKind.Eos, "</s>");

    private ZephyrChatFormat()
        : base("Zephyr")
    {
    }

    /// <summary>The format.</summary>
    public static ZephyrChatFormat Instance { get; } = new();

    /// <inheritdoc/>
    private protected override bool HasToolRole => false;

    /// <inheritdoc/>
    private protected override IReadOnlyList<ChatPiece> Stops => [Eos];

    /// <inheritdoc/>
    internal override bool Fits(Tokenizer tokenizer) => tokenizer.EosId is not null;

    /// <inheritdoc/>
    private protected override void Write(IReadOnlyList<ChatMessage> messages, int from, bool addGenerationPrompt, List<ChatPiece> pieces)
    {
        // The line break after a message is one text with what follows it, as where the whole is tokenised at once.
        var text = new StringBuilder(from > 0 ? "\n" : "");
        for (int i = 0; i < messages.Count; i++)
        {
            if (messages[i].Role == ChatRole.Tool)
                throw Refuse("system, user or assistant", messages, i);
            foreach (string mark in Marks)
            {
                if (messages[i].Content.Contains(mark, StringComparison.Ordinal))
                    throw new PunaException($"message {i + 1}: expected text without role marks, got {mark} ({Name} chat format)");
            }

            if (i < from)
                continue;
            text.Append("<|").Append(RoleName(messages[i].Role)).Append("|>\n").Append(messages[i].Content);
            pieces.Add(ChatPiece.Of(text.ToString()));
            pieces.Add(Eos);
            text.Clear().Append('\n');
        }

        if (addGenerationPrompt)
            text.Append("<|assistant|>\n");
        pieces.Add(ChatPiece.Of(text.ToString()));
    }
}
