using System.Text;
using Puna.Tensors;

namespace Puna.Text.Training;

/// <summary>How a SentencePiece vocabulary is trained. The defaults are Llama's settings (spec training.md 2.1).</summary>
public sealed record SentencePieceTrainerOptions
{
    /// <summary>How many pieces there will be, meta pieces and bytes included.</summary>
    public int VocabularySize { get; init; } = 32_000;

    /// <summary>Which share of all characters of the text is to be spelled in characters of the vocabulary, above 0 and at most 1; Llama 2 has 0.99995.</summary>
    public double Coverage { get; init; } = 0.9995;

    /// <summary>Whether other characters become UTF-8 bytes, rather than unknown. Takes 256 pieces.</summary>
    public bool ByteFallback { get; init; } = true;

    /// <summary>Whether digits stay alone.</summary>
    public bool SplitDigits { get; init; } = true;

    /// <summary>Whether a piece may only have characters of one script.</summary>
    public bool SplitByScript { get; init; } = true;

    /// <summary>Whether there may be pieces of several spaces.</summary>
    public bool SpacePieces { get; init; } = true;

    /// <summary>Most characters of a piece, 1 to 512.</summary>
    public int MaxPieceLength { get; init; } = 16;

    /// <summary>Pieces that stand for no text, such as a separator; behind <c>&lt;unk&gt;</c>, <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c>.</summary>
    public IReadOnlyList<string> ControlSymbols { get; init; } = [];

    /// <summary>Texts that are always one piece; behind the control symbols.</summary>
    public IReadOnlyList<string> UserDefinedSymbols { get; init; } = [];

    /// <summary>Lines of more bytes are left out, as the original does it with 4,192; 0 for none, at most 1,000,000.</summary>
    public int MaxLineBytes { get; init; }

    /// <summary>Checks what is independent of the text.</summary>
    /// <exception cref="PunaException">An option is out of range.</exception>
    internal void Validate()
    {
        Check("coverage", Coverage is > 0 and <= 1, "above 0 and at most 1", Coverage);
        Check("max piece length", MaxPieceLength is >= 1 and <= 512, "1 to 512", MaxPieceLength);
        Check("max line bytes", MaxLineBytes is >= 0 and <= 1_000_000, "0 to 1000000", MaxLineBytes);
        var seen = new HashSet<string>(StringComparer.Ordinal) { "<unk>", "<s>", "</s>" };
        foreach (string symbol in (IEnumerable<string>)[.. ControlSymbols, .. UserDefinedSymbols])
        {
            bool fits = symbol.Length > 0 && !symbol.AsSpan().ContainsAny(" ▁\n\0\uFFFD") && Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(symbol)) == symbol;
            Check("symbol", fits, "a text without spaces, ▁ and line breaks", $"\"{symbol.ReplaceLineEndings(" ")}\"");
            bool isNew = seen.Add(symbol) && !(ByteFallback && SentencePieces.SentencePieceModel.ByteValue(Encoding.UTF8.GetBytes(symbol)) >= 0);
            Check("symbol", isNew, "each once, and no meta piece", symbol);
        }
    }

    private static void Check(string what, bool fits, string expected, object got)
    {
        if (!fits)
        {
            throw new PunaException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"tokenizer {what}: expected {expected}, got {got}"));
        }
    }
}
