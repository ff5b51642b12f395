using System.Text;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Text;

namespace Puna.Server.OpenAI;

/// <summary>A continued text, or a piece of one.</summary>
internal sealed class CompletionText
{
    private readonly Tokenizer _tokenizer;
    private readonly StringBuilder _text = new();
    private readonly GenerationHandle? _scored;
    private IReadOnlyList<int>? _echo;

    /// <summary>Begins a text.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="echo">The prompt, where it is to come back.</param>
    /// <param name="finish">Why it has ended already, or null.</param>
    /// <param name="scored">Where the prompt comes back with its log-probabilities, who has them.</param>
    public CompletionText(Tokenizer tokenizer, IReadOnlyList<int>? echo, string? finish = null, GenerationHandle? scored = null)
    {
        (_tokenizer, _echo, Finish, _scored) = (tokenizer, echo, finish, scored);
        if (finish is not null)
        {
            Echo();
        }
    }

    /// <summary>Its text.</summary>
    public string Text => _text.ToString();

    /// <summary>Why it ended, or null.</summary>
    public string? Finish { get; private set; }

    /// <summary>Its tokens, where log-probabilities were asked for.</summary>
    public List<CompletionToken> Tokens { get; } = [];

    /// <summary>Takes a token.</summary>
    public void Add(TokenEvent token)
    {
        Echo();
        if (token.LogProbs is { } logProbs)
        {
            Tokens.Add(new CompletionToken(token.Token, logProbs, _text.Length));
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
        int before = _text.Length, known = Tokens.Count;
        Add(token);
        var piece = new CompletionText(_tokenizer, null) { Finish = Finish };
        piece._text.Append(_text, before, _text.Length - before);
        piece.Tokens.AddRange(Tokens[known..]);
        return piece;
    }

    /// <summary>Gives the prompt back, once.</summary>
    private void Echo()
    {
        if (_echo is not { } prompt)
        {
            return;
        }

        _echo = null;
        IncrementalDecoder decoder = _tokenizer.CreateDecoder(skipSpecial: true);
        for (int i = 0; i < prompt.Count; i++)
        {
            if (_scored is not null)
            {
                Tokens.Add(new CompletionToken(prompt[i], i == 0 ? null : _scored.PromptLogProbs[i - 1], _text.Length));
            }

            _text.Append(decoder.Push(prompt[i]));
        }

        _text.Append(decoder.Flush());
    }
}
