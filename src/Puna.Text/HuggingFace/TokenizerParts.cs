using Puna.Text.Splitting;
using Puna.Text.Vocabularies;

namespace Puna.Text.HuggingFace;

/// <summary>Everything a tokenizer with a list of merges is made of, whichever file it comes from.</summary>
internal sealed class TokenizerParts
{
    /// <summary>Tokens and merges.</summary>
    public required MergeVocabulary Vocabulary { get; init; }

    /// <summary>Score of each id where pieces are chosen by their total score instead of merged; else null.</summary>
    public double[]? Scores { get; init; }

    /// <summary>Tokens found in the text before anything else.</summary>
    public required IReadOnlyList<AddedToken> Added { get; init; }

    /// <summary>Changes of the text.</summary>
    public TextNormalizer Normalizer { get; init; } = new([]);

    /// <summary>Marks for spaces, done between normalising and cutting.</summary>
    public Metaspace? Metaspace { get; init; }

    /// <summary>How the text is cut.</summary>
    public TextSplitter Splitter { get; init; } = new([]);

    /// <summary>Whether a text that does not start with a space is given one (byte-level only).</summary>
    public bool AddPrefixSpace { get; init; }

    /// <summary>Whether long texts are cut as Meta's wrapper of tiktoken cuts them.</summary>
    public bool MetaCuts { get; init; }

    /// <summary>Whether a part that is a token is taken whole.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>Id of what stands for the unknown, or -1 where the unknown vanishes.</summary>
    public int Unknown { get; init; } = -1;

    /// <summary>Whether a run of unknown characters is one token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Whether unknown characters become byte tokens <c>&lt;0x0A&gt;</c>.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>How tokens become text (pieces only).</summary>
    public PieceDecoding Decoding { get; init; } = new();

    /// <summary>Roles of ids.</summary>
    public TokenRoles Roles { get; init; } = new();

    /// <summary>The sections of the <c>tokenizer.json</c> this came from, or that say the same.</summary>
    public required PipelineJson Json { get; init; }
}

/// <summary>Sections of a <c>tokenizer.json</c> as JSON text.</summary>
/// <param name="Normalizer">The normaliser, or <c>null</c>.</param>
/// <param name="PreTokenizer">The pre-tokenizer, or <c>null</c>.</param>
/// <param name="PostProcessor">The post-processor, or <c>null</c>.</param>
/// <param name="Decoder">The decoder, or <c>null</c>.</param>
internal sealed record PipelineJson(string Normalizer, string PreTokenizer, string PostProcessor, string Decoder);
