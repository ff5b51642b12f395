using Puna.Tensors;
using Puna.Text.SentencePieces;

namespace Puna.Text;

/// <summary>Opens tokenizer files.</summary>
public static class TokenizerLoader
{
    /// <summary>Opens a <c>tokenizer.model</c> of SentencePiece.</summary>
    public static Tokenizer Open(string path)
    {
        using Storage file = MemoryMappedStorage.Load(path);
        return SentencePieceTokenizer.Read(file.Span<byte>(0, checked((int)file.ByteLength)), path);
    }

    /// <summary>Opens the tokenizer of a folder, or null where it has none.</summary>
    public static Tokenizer? TryOpenFolder(string? folder) =>
        folder is not null && File.Exists(Path.Combine(folder, "tokenizer.model")) ? Open(Path.Combine(folder, "tokenizer.model")) : null;
}
