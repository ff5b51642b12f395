using System.Text.Json.Serialization;
using Puna.Tensors;

namespace Puna.Training.Recipes;

/// <summary>Config of <see cref="TokenizerRecipe"/>. Keys are in <c>snake_case</c>; a key that does not belong to the kind is refused.</summary>
public sealed record TokenizerConfig
{
    /// <summary><c>sentencepiece</c> or <c>byte-bpe</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Files with the texts, <c>.txt</c> or <c>.jsonl</c>, perhaps <c>.gz</c>; relative to the folder of the config.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>SentencePiece: all pieces. Byte BPE: the ordinary tokens, bytes included; special tokens come on top.</summary>
    public required int VocabSize { get; init; }

    /// <summary>Reading ends after so many bytes of text; all by default.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>SentencePiece: share of the characters of the text that the alphabet covers, 0.9995 by default.</summary>
    public double? Coverage { get; init; }

    /// <summary>SentencePiece: whether other characters become bytes, true by default.</summary>
    public bool? ByteFallback { get; init; }

    /// <summary>SentencePiece: whether digits stay alone, true by default.</summary>
    public bool? SplitDigits { get; init; }

    /// <summary>SentencePiece: whether a piece has characters of one script only, true by default.</summary>
    public bool? SplitByScript { get; init; }

    /// <summary>SentencePiece: whether there are pieces of several spaces, true by default.</summary>
    public bool? SpacePieces { get; init; }

    /// <summary>SentencePiece: lines of more bytes are left out; none by default.</summary>
    public int? MaxLineBytes { get; init; }

    /// <summary>SentencePiece: pieces that stand for no text.</summary>
    public IReadOnlyList<string>? ControlSymbols { get; init; }

    /// <summary>SentencePiece: texts that are always one piece.</summary>
    public IReadOnlyList<string>? UserDefinedSymbols { get; init; }

    /// <summary>Most characters (SentencePiece, 16 by default) or bytes (byte BPE, any number by default) of a piece.</summary>
    public int? MaxPieceLength { get; init; }

    /// <summary>Byte BPE: <c>llama3</c> (the default), <c>llama4</c>, or a regular expression.</summary>
    public string? Pattern { get; init; }

    /// <summary>Byte BPE: the special tokens, in the order of their ids; Llama 3's by default.</summary>
    public IReadOnlyList<string>? SpecialTokens { get; init; }

    /// <summary>Byte BPE: how many of Llama 3's special tokens there are, 256 by default. The first 12 hold all that have a meaning.</summary>
    public int? SpecialCount { get; init; }

    /// <summary>Byte BPE: <c>llama3</c> writes a chat template with the message frame of Llama 3 into <c>tokenizer_config.json</c>; none by default.</summary>
    public string? ChatFormat { get; init; }

    /// <summary>Refuses values that can be seen to be wrong without reading any text.</summary>
    /// <param name="path">The config, for messages.</param>
    /// <exception cref="PunaException">Something is wrong; one line says what.</exception>
    internal void Validate(string path)
    {
        void Check(bool fits, string key, string expected, object? got)
        {
            if (!fits)
            {
                throw new PunaException($"config {path} {key}: expected {expected}, got {got ?? "null"}");
            }
        }

        Check(Kind is "sentencepiece" or "byte-bpe", "kind", "sentencepiece or byte-bpe", Kind);
        Check(Inputs is { Count: > 0 } && Inputs.All(static i => !string.IsNullOrEmpty(i)), "inputs", "one file or more", Inputs is null ? null : $"{Inputs.Count}, or an empty name");
        Check(VocabSize is > 0 and <= 4_000_000, "vocab_size", "1 to 4000000", VocabSize);
        Check(MaxBytes is null or > 0, "max_bytes", "above 0", MaxBytes);
        bool pieces = Kind == "sentencepiece";
        ReadOnlySpan<(string Key, object? Value, bool OfPieces)> keys =
        [
            ("coverage", Coverage, true), ("byte_fallback", ByteFallback, true), ("split_digits", SplitDigits, true), ("split_by_script", SplitByScript, true),
            ("space_pieces", SpacePieces, true), ("max_line_bytes", MaxLineBytes, true), ("control_symbols", ControlSymbols, true),
            ("user_defined_symbols", UserDefinedSymbols, true), ("pattern", Pattern, false), ("special_tokens", SpecialTokens, false), ("special_count", SpecialCount, false),
            ("chat_format", ChatFormat, false),
        ];
        foreach ((string key, object? value, bool ofPieces) in keys)
        {
            Check(value is null || ofPieces == pieces, key, ofPieces ? "only with kind sentencepiece" : "only with kind byte-bpe", $"it with {Kind}");
        }

        Check(SpecialCount is null || SpecialTokens is null, "special_count", "special_tokens or special_count", "both");
        Check(SpecialCount is null or (>= 0 and <= 256), "special_count", "0 to 256", SpecialCount);
        Check(ChatFormat is null or "llama3", "chat_format", "llama3", ChatFormat);
        foreach ((string key, IReadOnlyList<string>? list) in (ReadOnlySpan<(string, IReadOnlyList<string>?)>)
            [("control_symbols", ControlSymbols), ("user_defined_symbols", UserDefinedSymbols), ("special_tokens", SpecialTokens)])
        {
            Check(list is null || list.All(static s => s is not null), key, "texts", "null");
        }
    }
}

/// <summary>Reads <see cref="TokenizerConfig"/>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(TokenizerConfig))]
internal sealed partial class TokenizerConfigJson : JsonSerializerContext;
