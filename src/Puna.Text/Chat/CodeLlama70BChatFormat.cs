namespace Puna.Text.Chat;

/// <summary>
/// Code Llama 70B Instruct (spec llama1-3.md 6.4): messages with a source, ended by the piece <c>&lt;step&gt;</c>, which is looked up by name. Header and
/// content are tokenised separately, and each has its own leading ▁.
/// </summary>
public sealed class CodeLlama70BChatFormat : ChatFormat
{
    private const string Step = "<step>";

    private CodeLlama70BChatFormat()
        : base("Code Llama 70B")
    {
    }

    /// <summary>The format.</summary>
    public static CodeLlama70BChatFormat Instance { get; } = new();

    /// <inheritdoc/>
    private protected override bool HasToolRole => false;

    /// <inheritdoc/>
    private protected override IReadOnlyList<ChatPiece> Stops => [ChatPiece.Control(Step)];

    /// <inheritdoc/>
    internal override bool Fits(Tokenizer tokenizer) => tokenizer.BosId is not null && tokenizer.IdOf(Step) is not null;

    /// <inheritdoc/>
    private protected override void Write(IReadOnlyList<ChatMessage> messages, int from, bool addGenerationPrompt, List<ChatPiece> pieces)
    {
        Llama2ChatFormat.RefuseTags(messages, step: true);
        int first = messages[0].Role == ChatRole.System ? 1 : 0;
        for (int i = first; i < messages.Count; i++)
        {
            ChatRole expected = (i - first) % 2 == 0 ? ChatRole.User : ChatRole.Assistant;
            if (messages[i].Role != expected)
                throw Refuse(RoleName(expected), messages, i);
        }

        if (addGenerationPrompt && messages[^1].Role != ChatRole.User)
            throw Refuse("user", messages, messages.Count);

        if (from == 0)
        {
            pieces.Add(new ChatPiece(ChatPieceKind.Bos, "<s>"));
            if (first == 0)
                WriteMessage(new ChatMessage(ChatRole.System, ""), pieces);
        }

        for (int i = from; i < messages.Count; i++)
            WriteMessage(messages[i], pieces);
        if (addGenerationPrompt)
        {
            pieces.Add(ChatPiece.Of(" Source: assistant\nDestination: user"));
            pieces.Add(ChatPiece.Of("\n\n "));
        }
    }

    private static void WriteMessage(ChatMessage message, List<ChatPiece> pieces)
    {
        string header = " Source: " + RoleName(message.Role);
        if (message.Destination is string destination)
            header += "\nDestination: " + PythonText.Strip(destination);
        pieces.Add(ChatPiece.Of(header));
        if (message.Content.Length > 0)
            pieces.Add(ChatPiece.Of("\n\n " + PythonText.Strip(message.Content)));
        pieces.Add(ChatPiece.Control(Step));
    }
}
