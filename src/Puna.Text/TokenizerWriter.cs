using System.Text.Json;
using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Text.Chat;
using Puna.Text.Conversion;
using Puna.Text.HuggingFace;
using Puna.Text.SentencePieces;
using Puna.Text.Tiktoken;
using Puna.Text.Vocabularies;

namespace Puna.Text;

/// <summary>
/// Writes tokenizers in the forms other programs read: keys of a GGUF file, <c>tokenizer.model</c>, <c>tokenizer.json</c>. A form that cannot say what the tokenizer does is refused,
/// never approximated in what it encodes; decoding follows the rules of the new form.
/// </summary>
public static class TokenizerWriter
{
    /// <summary>Sets the <c>tokenizer.ggml.*</c> keys of a GGUF file.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="metadata">Receives the keys.</param>
    /// <param name="rows">Rows of the embedding; where there are more than tokens, unused tokens <c>[PAD123]</c> fill the list.</param>
    /// <exception cref="PunaException">GGUF has no keys for what the tokenizer does.</exception>
    public static void WriteGguf(Tokenizer tokenizer, GgufMetadata metadata, int rows = 0) => GgufVocabularyWriter.Write(tokenizer, metadata, rows);

    /// <summary>Whether <see cref="WriteModel"/> can say what the tokenizer does.</summary>
    public static bool CanWriteModel(Tokenizer tokenizer) => tokenizer switch
    {
        SentencePieceTokenizer or TiktokenTokenizer => true,
        ByteLevelTokenizer bytes => RankEquivalent.Of(bytes) is not null,
        MergedPiecesTokenizer pieces => PieceModels.CanBeMade(pieces),
        _ => false,
    };

    /// <summary>Writes a <c>tokenizer.model</c>: SentencePiece for vocabularies of pieces, tiktoken ranks for byte-level ones.</summary>
    /// <exception cref="PunaException">The form cannot say what the tokenizer does, or the file cannot be written.</exception>
    public static void WriteModel(Tokenizer tokenizer, string path) => StagedFiles.Write(path, ModelBytes(tokenizer));

    /// <summary>Writes a <c>tokenizer.json</c>.</summary>
    /// <exception cref="PunaException">The form cannot say what the tokenizer does, or the file cannot be written.</exception>
    public static void WriteJson(Tokenizer tokenizer, string path) => StagedFiles.Write(path, TokenizerJsonWriter.Write(tokenizer));

    /// <summary>Writes the files of <see cref="MetaFiles"/>.</summary>
    /// <exception cref="PunaException">A file cannot be written, or neither form fits.</exception>
    public static void WriteMetaFolder(Tokenizer tokenizer, string folder) => Write(MetaFiles(tokenizer), folder);

    /// <summary>Writes the files of <see cref="HuggingFaceFiles(Tokenizer, string?)"/>.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="folder">The folder; it must exist.</param>
    /// <param name="chatTemplate">The chat template, if there is one.</param>
    /// <exception cref="PunaException">A file cannot be written, or no form fits.</exception>
    public static void WriteHuggingFaceFolder(Tokenizer tokenizer, string folder, string? chatTemplate = null) =>
        Write(HuggingFaceFiles(tokenizer, chatTemplate), folder);

    /// <summary>What a model's folder in Meta's layout needs, by name: <c>tokenizer.model</c>, or <c>tokenizer.json</c> where that cannot say what the tokenizer does.</summary>
    /// <exception cref="PunaException">Neither form fits.</exception>
    public static Dictionary<string, byte[]> MetaFiles(Tokenizer tokenizer) => CanWriteModel(tokenizer)
        ? new() { ["tokenizer.model"] = ModelBytes(tokenizer) }
        : new() { ["tokenizer.json"] = TokenizerJsonWriter.Write(tokenizer) };

    /// <summary>
    /// What a model's folder in Hugging Face's layout needs, by name: <c>tokenizer.json</c>, <c>tokenizer_config.json</c>, and <c>tokenizer.model</c> for
    /// SentencePiece. A SentencePiece vocabulary with something that <c>tokenizer.json</c> has no words for goes without that.
    /// </summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="chatTemplate">The chat template, if there is one.</param>
    /// <exception cref="PunaException">No form fits.</exception>
    public static Dictionary<string, byte[]> HuggingFaceFiles(Tokenizer tokenizer, string? chatTemplate = null) => HuggingFaceFiles(tokenizer, ChatTemplateSet.Of(chatTemplate));

    /// <summary>As <see cref="HuggingFaceFiles(Tokenizer, string?)"/>, for a model with any number of chat templates.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="chatTemplates">The chat templates.</param>
    /// <exception cref="PunaException">No form fits.</exception>
    public static Dictionary<string, byte[]> HuggingFaceFiles(Tokenizer tokenizer, ChatTemplateSet chatTemplates)
    {
        var files = new Dictionary<string, byte[]> { ["tokenizer_config.json"] = Settings(tokenizer, chatTemplates) };
        if (tokenizer is SentencePieceTokenizer pieces)
        {
            files["tokenizer.model"] = ModelBytes(tokenizer);
            if (!TokenizerJsonWriter.CanSay(pieces))
            {
                return files;
            }
        }

        files["tokenizer.json"] = TokenizerJsonWriter.Write(tokenizer);
        return files;
    }

    private static void Write(Dictionary<string, byte[]> content, string folder)
    {
        using var files = new StagedFiles();
        foreach ((string name, byte[] bytes) in content)
        {
            files.Create(Path.Combine(folder, name)).Write(bytes);
        }

        files.Commit();
    }

    private static byte[] ModelBytes(Tokenizer tokenizer) => tokenizer switch
    {
        SentencePieceTokenizer pieces => SentencePieceWriter.Write(pieces.Model),
        MergedPiecesTokenizer merged => SentencePieceWriter.Write(PieceModels.From(merged)),
        TiktokenTokenizer tiktoken => Ranks(tiktoken.Ranks, tiktoken.RankCount),
        ByteLevelTokenizer bytes when RankEquivalent.Of(bytes) is int count => Ranks(bytes.Parts.Vocabulary.Tokens, count),
        _ => throw new PunaException("tokenizer: expected Llama 3's or Llama 4's split, and merges that follow from ranks, for a tokenizer.model, got others"),
    };

    private static byte[] Ranks(TokenTable ranks, int count)
    {
        using var output = new MemoryStream();
        RankFile.Write(ranks, count, output);
        return output.ToArray();
    }

    /// <summary>The content of a <c>tokenizer_config.json</c>: what is put around a text, the roles of tokens, the chat template.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="chatTemplates">The chat templates: one that is the default alone is written as it is, others as a list with their names.</param>
    public static byte[] Settings(Tokenizer tokenizer, ChatTemplateSet chatTemplates)
    {
        using var output = new MemoryStream();
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true }))
        {
            bool pieces = tokenizer.Kind is TokenizerKind.SentencePiece or TokenizerKind.MergedPieces;
            writer.WriteStartObject();
            writer.WriteBoolean("add_bos_token", tokenizer.AddBos);
            writer.WriteBoolean("add_eos_token", tokenizer.AddEos);
            foreach ((string name, int? id) in (ReadOnlySpan<(string, int?)>)
                [("bos_token", tokenizer.BosId), ("eos_token", tokenizer.EosId), ("unk_token", tokenizer.UnkId), ("pad_token", tokenizer.PadId)])
            {
                if (id is int value)
                {
                    writer.WriteString(name, tokenizer.Piece(value));
                }
            }

            writer.WriteBoolean("clean_up_tokenization_spaces", false);
            if (pieces)
            {
                writer.WriteBoolean("legacy", true);
            }

            writer.WriteString("tokenizer_class", pieces ? "LlamaTokenizer" : "PreTrainedTokenizerFast");
            WriteTemplates(chatTemplates, writer);
            writer.WriteEndObject();
        }

        return output.ToArray();
    }

    private static void WriteTemplates(ChatTemplateSet templates, Utf8JsonWriter writer)
    {
        if (templates.ByName.Count == 0)
        {
            return;
        }

        if (templates.ByName.Count == 1 && templates.Default is { } only)
        {
            writer.WriteString("chat_template", only);
            return;
        }

        writer.WriteStartArray("chat_template");
        foreach ((string name, string template) in templates.ByName)
        {
            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteString("template", template);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
