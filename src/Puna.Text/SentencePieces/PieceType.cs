namespace Puna.Text.SentencePieces;

/// <summary>Kinds of vocabulary entries, with the numbers that SentencePiece and GGUF files use (spec llama1-3.md 3.3).</summary>
public enum PieceType : byte
{
    /// <summary>Found by merging.</summary>
    Normal = 1,

    /// <summary>Stands for what cannot be spelled.</summary>
    Unknown = 2,

    /// <summary>Has no text: beginning and end of a sequence, for example.</summary>
    Control = 3,

    /// <summary>Matched in the text before anything is merged.</summary>
    UserDefined = 4,

    /// <summary>Takes part in merging, but is split again in the result.</summary>
    Unused = 5,

    /// <summary>One byte, <c>&lt;0x0A&gt;</c>.</summary>
    Byte = 6,
}
