namespace Puna.Text.Chat;

/// <summary>
/// The message frame of Llama 4 by Meta's code (spec llama4.md 7.1), for models that come without a template: contents as they are, a tool's answer as role
/// <c>ipython</c>. Role, blank line and content are tokenised separately, as in Meta's encoder.
/// </summary>
public sealed partial class Llama4ChatFormat : ChatFormat
{
    private const string HeaderStart = "<|header_start|>";
    private const string HeaderEnd = "<|header_end|>";
    private const string EndOfTurn = "<|eot|>";
    private const string EndOfMessage = "<|eom|>";

    private Llama4ChatFormat()
        : base("Llama 4")
    {
    }

    /// <summary>The format.</summary>
    public static Llama4ChatFormat Instance { get; } = new();

    /// <inheritdoc/>
    private protected override IReadOnlyList<ChatPiece> Stops =>
        [ChatPiece.Control("<|end_of_text|>"), ChatPiece.Control(EndOfTurn), ChatPiece.Control(EndOfMessage)];

    /// <inheritdoc/>
    private protected override bool HasContext => true;

    /// <inheritdoc/>
    private protected override bool HasImages => true;

    /// <inheritdoc/>
    internal override bool Fits(Tokenizer tokenizer) =>
        tokenizer.IdOf(HeaderStart) is not null && tokenizer.IdOf(HeaderEnd) is not null && tokenizer.IdOf(EndOfTurn) is not null;

    /// <inheritdoc/>
    private protected override void Write(IReadOnlyList<ChatMessage> messages, int from, bool addGenerationPrompt, List<ChatPiece> pieces)
    {
        if (from == 0)
            pieces.Add(ChatPiece.Control("<|begin_of_text|>"));
        for (int i = from; i < messages.Count; i++)
        {
            ChatMessage message = messages[i];
            WriteHeader(message.Role == ChatRole.Tool ? "ipython" : RoleName(message.Role), pieces);
            ImageTokens.WriteContent(message, isTiled: true, pieces);
            if (message.Context is string context)
            {
                pieces.Add(ChatPiece.Of("\n\n"));
                pieces.Add(ChatPiece.Of(context));
            }

            // A tool's answer ends like a message that awaits one: the turn goes on.
            bool goesOn = message.Role == ChatRole.Tool || (message.AwaitsTool && message.Role == ChatRole.Assistant);
            pieces.Add(ChatPiece.Control(goesOn ? EndOfMessage : EndOfTurn));
        }

        if (addGenerationPrompt)
            WriteHeader("assistant", pieces);
    }

    private static void WriteHeader(string role, List<ChatPiece> pieces)
    {
        pieces.Add(ChatPiece.Control(HeaderStart));
        pieces.Add(ChatPiece.Of(role));
        pieces.Add(ChatPiece.Control(HeaderEnd));
        pieces.Add(ChatPiece.Of("\n\n"));
    }
}
