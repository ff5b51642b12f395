using Puna.Tensors;
using Puna.Text.HuggingFace;
using Puna.Text.SentencePieces;
using Puna.Text.Tiktoken;

namespace Puna.Text;

/// <summary>
/// Opens tokenizers from files: <c>tokenizer.model</c> (SentencePiece, Llama 3 or Llama 4, told apart by content), <c>tokenizer.json</c>, <c>spm.model</c> (SentencePiece, as DeBERTa's folders
/// call it), or the folder of a model.
/// </summary>
public static class TokenizerLoader
{
    /// <summary>The largest tokenizer file that is read; the largest in use have about 35 MB.</summary>
    private const long LargestFile = 1L << 30;

    private const string Model = "tokenizer.model";
    private const string Json = "tokenizer.json";
    private const string Pieces = "spm.model";

    /// <summary>Opens a tokenizer file, or the tokenizer in a model's folder.</summary>
    /// <param name="path">The file or folder.</param>
    /// <exception cref="PunaException">There is none, or it cannot be read.</exception>
    /// <exception cref="FileFormatException">It is malformed, or asks for something that is not understood.</exception>
    public static Tokenizer Open(string path)
    {
        if (Directory.Exists(path))
        {
            return TryOpenFolder(path) ?? throw new PunaException($"tokenizer in {path}: expected {Model} or {Json}, got neither");
        }

        return Read(ReadFile(path), path, null);
    }

    /// <summary>
    /// Opens the tokenizer in a model's folder. <c>tokenizer.model</c> is preferred, as the original; added tokens come from <c>tokenizer.json</c> where that is there too, and
    /// where a SentencePiece model lacks them, <c>tokenizer.json</c> is used instead. <c>spm.model</c> comes last: where <c>tokenizer.json</c> is beside it, that is what its users run. Roles and stop ids come from <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c>,
    /// <c>generation_config.json</c> and <c>config.json</c>, as far as they are there.
    /// </summary>
    /// <returns>The tokenizer, or null where the folder has none of the files.</returns>
    /// <exception cref="FileFormatException">A file is malformed, or asks for something that is not understood.</exception>
    public static Tokenizer? TryOpenFolder(string folder)
    {
        string model = Path.Combine(folder, Model), json = Path.Combine(folder, Json);
        if (File.Exists(model))
        {
            List<AddedToken>? added = File.Exists(json) ? TokenizerJsonReader.ReadAddedTokens(ReadFile(json), json) : null;
            Tokenizer tokenizer = Read(ReadFile(model), model, added);
            if (tokenizer is SentencePieceTokenizer pieces)
            {
                tokenizer = added is null ? AddedPieces.Extend(pieces, folder)
                    : added.Exists(token => token.Id >= pieces.VocabularySize) ? Read(ReadFile(json), json, null)
                    : pieces;
            }

            return FolderRoles.Apply(tokenizer, folder);
        }

        string alone = File.Exists(json) ? json : Path.Combine(folder, Pieces);
        return File.Exists(alone) ? FolderRoles.Apply(Read(ReadFile(alone), alone, null), folder) : null;
    }

    /// <summary>Reads a tokenizer file that is in memory already.</summary>
    /// <param name="content">A SentencePiece model, tiktoken ranks or a <c>tokenizer.json</c>, told apart by content.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="FileFormatException">It is malformed, or asks for something that is not understood.</exception>
    public static Tokenizer Read(ReadOnlySpan<byte> content, string name) => Read(content, name, null);

    private static Tokenizer Read(ReadOnlySpan<byte> content, string path, List<AddedToken>? added)
    {
        if (TokenizerJsonReader.Recognise(content))
        {
            return TokenizerJsonReader.Read(content, path);
        }

        if (RankFile.Recognise(content))
        {
            return TiktokenTokenizer.Read(content, path, specials: added?.Select(static t => KeyValuePair.Create(t.Content, t.Id)));
        }

        if (SentencePieceReader.Recognise(content))
        {
            return SentencePieceTokenizer.Read(content, path);
        }

        string got = content.Length == 0 ? "an empty file" : content.StartsWith("GGUF"u8) ? "a GGUF file" : "something else";
        throw new FileFormatException(path, $"tokenizer: expected a SentencePiece model, tiktoken ranks or a tokenizer.json, got {got}");
    }

    /// <summary>Reads a whole file of bounded size.</summary>
    internal static byte[] ReadFile(string path)
    {
        try
        {
            long length = new FileInfo(path).Length;
            return length <= LargestFile ? File.ReadAllBytes(path) : throw new FileFormatException(path, $"tokenizer: expected at most {LargestFile} bytes, got {length}");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PunaException($"tokenizer {path}: expected a file or folder, got nothing there", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PunaException($"tokenizer {path}: cannot be read: {error.Message}", error);
        }
    }
}
