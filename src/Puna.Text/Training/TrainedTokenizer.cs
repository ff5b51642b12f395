using Puna.Text.SentencePieces;

namespace Puna.Text.Training;

/// <summary>A tokenizer that has been trained.</summary>
public sealed class TrainedTokenizer
{
    private readonly byte[]? _ranks;

    internal TrainedTokenizer(Tokenizer tokenizer, TokenizerTrainingReport report, byte[]? ranks = null) => (Tokenizer, Report, _ranks) = (tokenizer, report, ranks);

    /// <summary>The tokenizer, ready for use.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>How the training went.</summary>
    public TokenizerTrainingReport Report { get; }

    /// <summary>
    /// The files of a model's folder, by name: <c>tokenizer.model</c> (SentencePiece; for byte-level vocabularies the ranks as Llama 3 has them, where the pattern is
    /// the one that readers take for such a file), <c>tokenizer.json</c> and <c>tokenizer_config.json</c>. SentencePiece with user-defined symbols goes without <c>tokenizer.json</c>, in
    /// which the text behind such a symbol would get a space in front.
    /// </summary>
    /// <param name="chatTemplate">A chat template for <c>tokenizer_config.json</c>, if there is one.</param>
    public Dictionary<string, byte[]> Files(string? chatTemplate = null)
    {
        Dictionary<string, byte[]> files = TokenizerWriter.HuggingFaceFiles(Tokenizer, chatTemplate);
        if (Tokenizer is SentencePieceTokenizer pieces && pieces.Model.Types.Contains(PieceType.UserDefined))
        {
            files.Remove("tokenizer.json");
        }

        if (_ranks is not null)
        {
            files["tokenizer.model"] = _ranks;
        }

        return files;
    }
}
