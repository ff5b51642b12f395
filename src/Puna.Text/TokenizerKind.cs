namespace Puna.Text;

/// <summary>Where a tokenizer's definition comes from, which decides the corners of its encoding and decoding.</summary>
public enum TokenizerKind
{
    /// <summary>SentencePiece byte pair encoding: Llama 1, Llama 2, Code Llama (spec llama1-3.md 5.1); also GGUF vocabularies of model <c>llama</c>.</summary>
    SentencePiece,

    /// <summary>tiktoken ranks: Llama 3 and Llama 4 as Meta publishes them (spec llama1-3.md 5.3, llama4.md 6).</summary>
    Tiktoken,

    /// <summary>Byte-level byte pair encoding with a list of merges: <c>tokenizer.json</c> of Llama 3 style, GGUF vocabularies of model <c>gpt2</c>.</summary>
    ByteLevel,

    /// <summary>Pieces with a list of merges: <c>tokenizer.json</c> of Llama 2 style.</summary>
    MergedPieces,

    /// <summary>Pieces chosen by their total score: Prompt Guard, as a SentencePiece model or as <c>tokenizer.json</c> (spec llama1-3.md 5.5).</summary>
    Unigram,
}
