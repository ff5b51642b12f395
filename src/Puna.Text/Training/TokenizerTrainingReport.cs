namespace Puna.Text.Training;

/// <summary>What the training of a tokenizer was about.</summary>
/// <param name="Texts">How many texts there were.</param>
/// <param name="Bytes">Bytes of all texts.</param>
/// <param name="DistinctWords">How many different words were found.</param>
/// <param name="Alphabet">How many characters or bytes words are spelled in.</param>
/// <param name="Merges">How many pieces merging made; fewer than asked for where the text has no more pairs.</param>
/// <param name="Tokens">About how many tokens all texts are.</param>
/// <param name="LinesLeftOut">Lines that were longer than allowed.</param>
/// <param name="Counting">Time for reading and counting.</param>
/// <param name="Merging">Time for merging.</param>
public sealed record TokenizerTrainingReport(
    long Texts, long Bytes, int DistinctWords, int Alphabet, int Merges, long Tokens, long LinesLeftOut, TimeSpan Counting, TimeSpan Merging)
{
    /// <summary>Bytes of text per token.</summary>
    public double BytesPerToken => Tokens == 0 ? 0 : (double)Bytes / Tokens;
}
