using Puna.Runtime.Text;
using Puna.Text;

namespace Puna.Runtime.Generation;

/// <summary>Turns generated tokens into text to show: whole characters, and nothing that may turn out to be a stop string.</summary>
internal sealed class ReplyText
{
    // A continuation is shown as it stands behind the prompt: a decoder that starts afresh would drop the leading space of a SentencePiece token.
    private const int Enough = 8;

    private readonly IncrementalDecoder? _decoder;
    private readonly StopStringMatcher _stops;
    private readonly bool _showsSpecial;

    /// <summary>Begins behind a prompt.</summary>
    /// <param name="tokenizer">The model's, or null where it has none: then there is no text.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="stopStrings">Texts that end the reply.</param>
    /// <param name="showsSpecial">Whether special tokens appear in the text.</param>
    public ReplyText(Tokenizer? tokenizer, ReadOnlySpan<int> prompt, IReadOnlyList<string> stopStrings, bool showsSpecial)
    {
        _decoder = tokenizer?.CreateDecoder(!showsSpecial);
        _decoder?.Prime(prompt[Math.Max(0, prompt.Length - Enough)..]);
        _stops = new StopStringMatcher(stopStrings);
        _showsSpecial = showsSpecial;
    }

    /// <summary>Whether a stop string was met.</summary>
    public bool IsStopped => _stops.IsStopped;

    /// <summary>The stop string that was met, or null.</summary>
    public string? StopString => _stops.Found;

    /// <summary>Takes the next token.</summary>
    /// <param name="token">Its id.</param>
    /// <param name="ends">Whether it ends the text; then it is shown only where special tokens are.</param>
    public string Push(int token, bool ends) => _decoder is null || (ends && !_showsSpecial) ? "" : _stops.Push(_decoder.Push(token));

    /// <summary>What was held back, at the end.</summary>
    public string Finish() => _decoder is null || _stops.IsStopped ? "" : _stops.Push(_decoder.Flush()) + _stops.Flush();
}
