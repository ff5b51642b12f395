using Puna.Text.Splitting;

namespace Puna.Text.HuggingFace;

/// <summary>What the pre-tokenizer of a <c>tokenizer.json</c> asks for.</summary>
internal sealed class PreTokenizer
{
    /// <summary>Marks for spaces, if any.</summary>
    public Metaspace? Metaspace { get; set; }

    /// <summary>How the text is cut.</summary>
    public List<SplitStep> Steps { get; } = [];

    /// <summary>Whether parts are then taken as bytes.</summary>
    public bool ByteLevel { get; set; }

    /// <summary>Whether a text that does not start with a space is given one.</summary>
    public bool AddPrefixSpace { get; set; }
}
