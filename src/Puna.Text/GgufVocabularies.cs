using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Text.SentencePieces;

namespace Puna.Text;

/// <summary>Tokenizers from the vocabularies inside GGUF files (spec llama1-3.md 3.3).</summary>
public static class GgufTokenizer
{
    /// <summary>Builds the tokenizer of a SentencePiece vocabulary; null where the file has none.</summary>
    public static Tokenizer? Create(GgufMetadata metadata)
    {
        string? kind = metadata.GetString("tokenizer.ggml.model");
        if (kind is null or "no_vocab")
        {
            return null;
        }

        if (kind != "llama")
        {
            throw new PunaException($"metadata tokenizer.ggml.model: expected llama, got {kind}");
        }

        string[] tokens = metadata.GetStrings("tokenizer.ggml.tokens") ?? throw new PunaException("metadata tokenizer.ggml.tokens: expected an array, got none");
        float[]? scores = metadata.GetFloats("tokenizer.ggml.scores");
        long[]? types = metadata.GetIntegers("tokenizer.ggml.token_type");
        var model = new SentencePieceModel { ModelType = SentencePieceModel.BytePairEncoding, ByteFallback = true, RemoveExtraWhitespaces = false };
        for (int i = 0; i < tokens.Length; i++)
        {
            model.Add(System.Text.Encoding.UTF8.GetBytes(tokens[i]), scores?[i] ?? -i, (PieceType)(types?[i] ?? 1));
        }

        return new SentencePieceTokenizer(model, "gguf");
    }
}

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
