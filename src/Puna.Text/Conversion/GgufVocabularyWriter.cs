using System.Text;
using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Text.HuggingFace;
using Puna.Text.SentencePieces;
using Puna.Text.Tiktoken;
using Puna.Text.Vocabularies;

namespace Puna.Text.Conversion;

/// <summary>Turns tokenizers into the keys <c>tokenizer.ggml.*</c> of a GGUF file (spec llama1-3.md 3.3).</summary>
internal static class GgufVocabularyWriter
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Sets the keys.</summary>
    public static void Write(Tokenizer tokenizer, GgufMetadata metadata, int rows)
    {
        switch (tokenizer)
        {
            case { Kind: TokenizerKind.Unigram }:
                throw new PunaException("tokenizer: expected byte pair encoding to write as GGUF, got a unigram model");
            case SentencePieceTokenizer pieces:
                WritePieces(pieces.Model, metadata, rows);
                break;
            case MergedPiecesTokenizer merged:
                WritePieces(PieceModels.From(merged), metadata, rows);
                break;
            case TiktokenTokenizer tiktoken:
                WriteRanks(tiktoken, metadata, rows);
                break;
            case ByteLevelTokenizer bytes:
                WriteByteLevel(bytes, metadata, rows);
                break;
            default:
                throw new PunaException($"tokenizer: expected a kind that GGUF has keys for, got {tokenizer.Kind}");
        }

        WriteRoles(tokenizer.Roles, metadata);
    }

    private static void WritePieces(SentencePieceModel model, GgufMetadata metadata, int rows)
    {
        var tokens = new Tokens(model.Pieces.Count, rows);
        float[] scores = new float[tokens.Texts.Length];
        for (int i = 0; i < model.Pieces.Count; i++)
        {
            tokens.Set(i, Encoding.UTF8.GetString(model.Pieces[i]), model.Types[i]);
            scores[i] = model.Scores[i];
        }

        metadata.Set(Prefix + "model", "llama");
        metadata.Set(Prefix + "pre", "default");
        tokens.Write(metadata);
        metadata.Set(Prefix + "scores", scores);
        metadata.Set(Prefix + "add_space_prefix", model.AddDummyPrefix);
        if (model.RemoveExtraWhitespaces)
        {
            metadata.Set(Prefix + "remove_extra_whitespaces", true);
        }

        if (model.CharsMap.Length > 0)
        {
            metadata.Set(Prefix + "precompiled_charsmap", model.CharsMap);
        }
    }

    private static void WriteRanks(TiktokenTokenizer tokenizer, GgufMetadata metadata, int rows)
    {
        var tokens = new Tokens(tokenizer.VocabularySize, rows);
        TokenTable ranks = tokenizer.Ranks;
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            bool special = id >= ranks.Count;
            tokens.Set(id, special ? tokenizer.Piece(id) : ByteAlphabet.FromBytes(ranks[id]), special ? PieceType.Control : PieceType.Normal);
        }

        (List<int> left, List<int> right) = MergeDerivation.FromRanks(ranks);
        metadata.Set(Prefix + "model", "gpt2");
        metadata.Set(Prefix + "pre", tokenizer.Family == TiktokenFamily.Llama4 ? PreTokenizerNames.Llama4 : PreTokenizerNames.Llama3);
        tokens.Write(metadata);
        string[] merges = new string[left.Count];
        for (int i = 0; i < merges.Length; i++)
        {
            merges[i] = string.Concat(tokens.Texts[left[i]], " ", tokens.Texts[right[i]]);
        }

        metadata.Set(Prefix + "merges", merges);
    }

    private static void WriteByteLevel(ByteLevelTokenizer tokenizer, GgufMetadata metadata, int rows)
    {
        TokenizerParts parts = tokenizer.Parts;
        string? pre = PreTokenizerNames.NameOf(parts.Json.PreTokenizer);
        if (pre is null || !parts.Normalizer.IsIdentity || parts.Unknown >= 0 || (parts.IgnoreMerges != PreTokenizerNames.IgnoresMerges(pre)))
        {
            throw new PunaException(
                $"tokenizer: expected a normaliser and a split that GGUF has a name for, got {parts.Json.Normalizer} and {parts.Json.PreTokenizer}");
        }

        var tokens = new Tokens(tokenizer.VocabularySize, rows);
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            PieceType type = tokenizer.Added(id) is AddedToken added ? (added.Special ? PieceType.Control : PieceType.UserDefined) : PieceType.Normal;
            tokens.Set(id, tokenizer.Piece(id), type);
        }

        metadata.Set(Prefix + "model", "gpt2");
        metadata.Set(Prefix + "pre", pre);
        tokens.Write(metadata);
        PairTable merges = parts.Vocabulary.Merges;
        var texts = new List<string>(merges.Count);
        for (int rank = 0; rank < merges.Count; rank++)
        {
            if (merges.Left(rank) >= 0)
            {
                texts.Add($"{parts.Vocabulary.Piece(merges.Left(rank))} {parts.Vocabulary.Piece(merges.Right(rank))}");
            }
        }

        metadata.Set(Prefix + "merges", texts.ToArray());
    }

    private static void WriteRoles(TokenRoles roles, GgufMetadata metadata)
    {
        foreach ((string key, int? id) in (ReadOnlySpan<(string, int?)>)
        [
            ("bos_token_id", roles.Bos), ("eos_token_id", roles.Eos), ("unknown_token_id", roles.Unk), ("padding_token_id", roles.Pad), ("eot_token_id", roles.Eot),
            ("eom_token_id", roles.Eom), ("prefix_token_id", roles.FimPrefix), ("suffix_token_id", roles.FimSuffix), ("middle_token_id", roles.FimMiddle),
        ])
        {
            if (id is int value)
            {
                metadata.Set(Prefix + key, (uint)value);
            }
        }

        metadata.Set(Prefix + "add_bos_token", roles.AddBos);
        metadata.Set(Prefix + "add_eos_token", roles.AddEos);
    }

    /// <summary>Texts and types of all rows; rows of the model without a token are padded as other converters do it.</summary>
    private sealed class Tokens(int count, int rows)
    {
        private readonly int[] _types = new int[Math.Max(count, rows)];
        private int _set;

        public string[] Texts { get; } = new string[Math.Max(count, rows)];

        public void Set(int id, string text, PieceType type)
        {
            Texts[id] = text.Length == 0 ? $"[PAD{id}]" : text;
            _types[id] = (int)(text.Length == 0 ? PieceType.Unused : type);
            _set = Math.Max(_set, id + 1);
        }

        public void Write(GgufMetadata metadata)
        {
            for (int id = _set; id < Texts.Length; id++)
            {
                Set(id, "", PieceType.Unused);
            }

            metadata.Set(Prefix + "tokens", Texts);
            metadata.Set(Prefix + "token_type", _types);
        }
    }
}
