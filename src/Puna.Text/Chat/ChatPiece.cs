namespace Puna.Text.Chat;

/// <summary>What a piece of a prompt is.</summary>
internal enum ChatPieceKind
{
    /// <summary>Text, tokenised on its own and without special tokens.</summary>
    Text,

    /// <summary>The control token with this name.</summary>
    Control,

    /// <summary>The tokenizer's beginning-of-text token; the text is for display.</summary>
    Bos,

    /// <summary>The tokenizer's end-of-text token; the text is for display.</summary>
    Eos,
}

/// <summary>A part of a prompt that becomes ids by itself, so that no tokenisation reaches across its borders.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text, or the control token's name.</param>
internal readonly record struct ChatPiece(ChatPieceKind Kind, string Text)
{
    public static ChatPiece Of(string text) => new(ChatPieceKind.Text, text);

    public static ChatPiece Control(string name) => new(ChatPieceKind.Control, name);
}
