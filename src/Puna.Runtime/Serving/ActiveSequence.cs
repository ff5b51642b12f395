using System.Runtime.InteropServices;
using Puna.Runtime.Constraints;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>One text of a request: its tokens, what is cached of them, and how it goes on. Belongs to the engine's thread.</summary>
internal sealed class ActiveSequence
{
    private readonly List<int> _tokens;
    private readonly Sampler _sampler;
    private readonly ReplyText _reply;

    public ActiveSequence(ActiveRequest owner, int choice, LanguageModel model, SamplingOptions sampling, SamplerScratch scratch)
    {
        (Owner, Choice) = (owner, choice);
        _tokens = [.. owner.Request.Prompt];
        _sampler = new Sampler(sampling, scratch.Vocabulary, choice, scratch);
        _reply = new ReplyText(model.Tokenizer, CollectionsMarshal.AsSpan(_tokens), owner.Request.StopStrings, owner.Request.ShowSpecialTokens);
        Constraint = owner.Request.Constraint?.Start();
    }

    /// <summary>The request.</summary>
    public ActiveRequest Owner { get; }

    /// <summary>Which of the request's texts.</summary>
    public int Choice { get; }

    /// <summary>Prompt and generated tokens.</summary>
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    /// <summary>Number of tokens.</summary>
    public int Count => _tokens.Count;

    /// <summary>Tokens generated.</summary>
    public int Generated => _tokens.Count - Owner.Request.Prompt.Count;

    /// <summary>Where the text stands in its constraint, or null.</summary>
    public ConstraintState? Constraint { get; }

    /// <summary>Keys and values of the tokens computed; null while it waits.</summary>
    public KvSequence? Cache { get; set; }

    /// <summary>What a draft model has cached of the text, or null.</summary>
    public KvSequence? DraftCache { get; set; }

    /// <summary>Tokens still to be computed.</summary>
    public int Pending => _tokens.Count - (Cache?.Length ?? 0);

    /// <summary>Hashes of its full blocks, as far as they are known.</summary>
    public PrefixChain Prefix { get; } = new();

    /// <summary>Whether it has ended.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Tokens of the coming pass: how many of its own, and how many guesses behind them.</summary>
    public int PlannedTokens { get; set; }

    /// <summary>Whether the pass computes the text's last token, so that the next one can be drawn.</summary>
    public bool WantsLogits { get; set; }

    /// <summary>Rows of the pass's logits that are the text's: those of its prompt's tokens, then those that draw tokens.</summary>
    public int PromptRows { get; set; }

    /// <summary>Rows of the pass's logits that draw tokens.</summary>
    public int DrawnRows { get; set; }

    /// <summary>Guesses of the coming pass.</summary>
    public int[] Guesses { get; } = new int[PromptLookup.Most];

    /// <summary>How many guesses there are.</summary>
    public int GuessCount { get; set; }

    /// <summary>Chooses the next token.</summary>
    /// <param name="logits">[vocab] float32, masked.</param>
    public int Sample(ReadOnlySpan<float> logits) => _sampler.Sample(logits, Tokens, Owner.Request.Prompt.Count);

    /// <summary>What would be drawn after the text and the guesses so far.</summary>
    /// <param name="logits">[vocab] float32 of a draft model.</param>
    /// <param name="guessed">How many guesses there are.</param>
    public int Guess(ReadOnlySpan<float> logits, int guessed)
    {
        int count = _tokens.Count;
        _tokens.AddRange(Guesses.AsSpan(0, guessed));
        try
        {
            return _sampler.Sample(logits, Tokens, Owner.Request.Prompt.Count);
        }
        finally
        {
            _tokens.RemoveRange(count, guessed);
        }
    }

    /// <summary>Adds a token.</summary>
    /// <param name="token">Its id.</param>
    /// <param name="logProbs">What is to be reported of it.</param>
    /// <param name="ends">Whether it is one that ends a text.</param>
    /// <param name="limit">Most tokens of the text, prompt included.</param>
    public TokenEvent Add(int token, TokenLogProbs? logProbs, bool ends, int limit)
    {
        _tokens.Add(token);
        string text = _reply.Push(token, ends);
        FinishReason? finish = ends || _reply.IsStopped || Constraint is { IsFinished: true } ? FinishReason.Stop
            : Generated == Owner.Request.MaxTokens ? FinishReason.Length
            : _tokens.Count >= limit ? FinishReason.Context
            : null;
        IsDone = finish is not null;
        return new TokenEvent(Choice, token, IsDone ? text + _reply.Finish() : text, logProbs, finish, _reply.StopString);
    }

    /// <summary>Ends a text of which nothing is to be generated.</summary>
    public TokenEvent EndAtOnce()
    {
        IsDone = true;
        return new TokenEvent(Choice, -1, "", null, FinishReason.Length, null);
    }

    /// <summary>Ends the text where nothing more can be computed for want of memory.</summary>
    public TokenEvent CutShort()
    {
        IsDone = true;
        return new TokenEvent(Choice, -1, _reply.Finish(), null, FinishReason.Context, null);
    }

    /// <summary>Gives its memory back.</summary>
    public void Release()
    {
        Cache?.Dispose();
        DraftCache?.Dispose();
        (Cache, DraftCache) = (null, null);
        PlannedTokens = 0;
        GuessCount = 0;
    }
}
