using System.Text;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Text;

namespace Puna.Server.OpenAI;

/// <summary>A continued text, or a piece of one.</summary>
internal sealed class CompletionText
{
    private readonly Tokenizer _tokenizer;
    private readonly StringBuilder _text = new();
    private string? _echo;

    /// <summary>Begins a text.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="echo">The prompt, where it is to come back.</param>
    /// <param name="finish">Why it has ended already, or null.</param>
    public CompletionText(Tokenizer tokenizer, IReadOnlyList<int>? echo, string? finish = null)
    {
        (_tokenizer, Finish) = (tokenizer, finish);
        _echo = echo is null ? null : tokenizer.Decode([.. echo], skipSpecial: true);
        if (finish is not null)
        {
            _text.Append(_echo);
        }
    }

    /// <summary>Its text.</summary>
    public string Text => _text.ToString();

    /// <summary>Why it ended, or null.</summary>
    public string? Finish { get; private set; }

    /// <summary>Its tokens, with where each begins in the text.</summary>
    public List<(TokenLogProbs LogProbs, int Offset)> Tokens { get; } = [];

    /// <summary>How much of the whole text came before.</summary>
    public int Start { get; private init; }

    /// <summary>Takes a token.</summary>
    public void Add(TokenEvent token)
    {
        _text.Append(_echo);
        _echo = null;
        if (token.LogProbs is { } logProbs)
        {
            Tokens.Add((logProbs, Start + _text.Length));
        }

        _text.Append(token.Text);
        Finish = token.Finish switch
        {
            null => null,
            FinishReason.Stop => "stop",
            _ => "length",
        };
    }

    /// <summary>Takes a token, and gives what it brought.</summary>
    public CompletionText Piece(TokenEvent token)
    {
        int before = _text.Length;
        Add(token);
        var piece = new CompletionText(_tokenizer, null) { Start = before, Finish = Finish };
        piece._text.Append(_text, before, _text.Length - before);
        if (token.LogProbs is { } logProbs)
        {
            piece.Tokens.Add((logProbs, before));
        }

        return piece;
    }
}
