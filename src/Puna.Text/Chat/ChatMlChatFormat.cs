namespace Puna.Text.Chat;

/// <summary>
/// ChatML, which many fine-tunes of Llama models use: <c>&lt;|im_start|&gt;role</c>, a line break, the content, <c>&lt;|im_end|&gt;</c>, a line break. Only for
/// tokenizers that have the two tokens.
/// </summary>
public sealed class ChatMlChatFormat : ChatFormat
{
    private const string Start = "<|im_start|>";
    private const string End = "<|im_end|>";
    private readonly string? _bos;
    private readonly string? _defaultSystem;
    private readonly bool _trims;

    /// <summary>Creates a form of it.</summary>
    /// <param name="bos">How the beginning-of-text token is shown, or null where a conversation does not begin with it.</param>
    /// <param name="defaultSystem">The system message of conversations that have none, or null.</param>
    /// <param name="trims">Whether contents are trimmed.</param>
    public ChatMlChatFormat(string? bos = null, string? defaultSystem = null, bool trims = false)
        : base("ChatML")
    {
        _bos = bos;
        _defaultSystem = defaultSystem;
        _trims = trims;
    }

    /// <inheritdoc/>
    private protected override IReadOnlyList<ChatPiece> Stops => [ChatPiece.Control(End)];

    /// <inheritdoc/>
    internal override bool Fits(Tokenizer tokenizer) => tokenizer.IdOf(Start) is not null && tokenizer.IdOf(End) is not null;

    /// <inheritdoc/>
    private protected override void Write(IReadOnlyList<ChatMessage> messages, int from, bool addGenerationPrompt, List<ChatPiece> pieces)
    {
        if (from > 0)
            pieces.Add(ChatPiece.Of("\n"));
        else if (_bos is not null)
            pieces.Add(new ChatPiece(ChatPieceKind.Bos, _bos));
        if (from == 0 && _defaultSystem is not null && messages[0].Role != ChatRole.System)
            WriteMessage("system", _defaultSystem, pieces);
        for (int i = from; i < messages.Count; i++)
            WriteMessage(RoleName(messages[i].Role), _trims ? PythonText.Strip(messages[i].Content) : messages[i].Content, pieces);
        if (addGenerationPrompt)
        {
            pieces.Add(ChatPiece.Control(Start));
            pieces.Add(ChatPiece.Of("assistant\n"));
        }
    }

    private static void WriteMessage(string role, string content, List<ChatPiece> pieces)
    {
        pieces.Add(ChatPiece.Control(Start));
        pieces.Add(ChatPiece.Of(role + "\n" + content));
        pieces.Add(ChatPiece.Control(End));
        pieces.Add(ChatPiece.Of("\n"));
    }
}
