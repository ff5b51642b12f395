using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Safety.LlamaGuard;

/// <summary>Asks a Llama Guard about the last message of a conversation. One thread at a time.</summary>
public sealed class LlamaGuardClassifier
{
    // A verdict is "unsafe", a line break and codes: fourteen codes of three tokens with commas are the longest.
    private const int MostTokens = 64;

    private readonly IGuardModel _model;
    private readonly LlamaGuardOptions _options;
    private readonly int? _unsafe;

    /// <summary>Creates a classifier.</summary>
    /// <param name="model">The model.</param>
    /// <param name="version">Which Llama Guard it is.</param>
    /// <param name="options">How to ask.</param>
    /// <exception cref="PunaException">Unusable categories, none that is not excluded, a code that no category has, or a threshold outside 0 to 1.</exception>
    public LlamaGuardClassifier(IGuardModel model, LlamaGuardVersion version, LlamaGuardOptions? options = null)
    {
        (_model, Version, _options) = (model, version, options ?? new LlamaGuardOptions());
        IReadOnlyList<GuardCategory> all = _options.Categories ?? LlamaGuardCategories.Of(version);
        foreach (string code in _options.Excluded)
        {
            if (!all.Any(c => c.Code == code))
            {
                throw new PunaException($"excluded category {code}: expected one of {string.Join(", ", all.Select(static c => c.Code))}");
            }
        }

        Categories = [.. all.Where(c => !_options.Excluded.Contains(c.Code))];
        LlamaGuardCategories.Validate(Categories);
        if (_options.Threshold is double threshold && !(threshold >= 0 && threshold <= 1))
        {
            throw new PunaException($"threshold: expected 0 to 1, got {threshold}");
        }

        // The word's first token, where it tells the two answers apart.
        int[] no = model.Tokenizer.Encode("unsafe"), yes = model.Tokenizer.Encode("safe");
        _unsafe = no.Length > 0 && yes.Length > 0 && no[0] != yes[0] ? no[0] : null;
        if (_unsafe is null && _options.Threshold is not null)
        {
            throw new PunaException("threshold: expected a vocabulary in which safe and unsafe begin with different tokens, got another");
        }
    }

    /// <summary>Which Llama Guard it is.</summary>
    public LlamaGuardVersion Version { get; }

    /// <summary>What is looked for.</summary>
    public IReadOnlyList<GuardCategory> Categories { get; }

    /// <summary>Judges the last message.</summary>
    /// <exception cref="PunaException">The conversation has no place in the prompt, or is too long for the model.</exception>
    public GuardVerdict Classify(IReadOnlyList<GuardMessage> conversation, CancellationToken cancel = default) => Classify(conversation, [], cancel);

    /// <summary>Judges the last message of a conversation with pictures.</summary>
    /// <param name="conversation">The messages, which say how many pictures come with each (<see cref="GuardMessage.Images"/>).</param>
    /// <param name="images">The pictures, in order, as the model is shown them.</param>
    /// <param name="cancel">Stops it.</param>
    /// <exception cref="PunaException">As without pictures; or the version takes fewer, the model does not see, or there are others than the messages say.</exception>
    public GuardVerdict Classify(IReadOnlyList<GuardMessage> conversation, IReadOnlyList<TiledImage> images, CancellationToken cancel = default)
    {
        int expected = conversation.Sum(static m => m.Images);
        if (expected != images.Count)
        {
            // Never judged without what it is about.
            throw new PunaException($"images: expected the {expected} of the conversation, got {images.Count}");
        }

        int[] prompt = new LlamaGuardPrompt(Version, conversation, Categories, _options.Layout).Encode(_model.Tokenizer, [.. images.Select(_model.Place)]);
        (IReadOnlyList<int> tokens, string text) = _model.Answer(prompt, images, MostTokens, cancel);
        GuardVerdict verdict = GuardVerdict.Parse(text);
        if (_unsafe is int id)
        {
            // The verdict's first token: which may stand behind a line break that the prompt did not end with.
            int blank = tokens.TakeWhile(t => string.IsNullOrWhiteSpace(_model.Tokenizer.TokenText(t))).Count();
            verdict = verdict with { Score = Math.Exp(_model.LogProbabilities([.. prompt, .. tokens.Take(blank)], images, [id], cancel)[0]) };
        }

        // The other way round, what is excluded would come back by its score.
        verdict = _options.Threshold is double threshold ? verdict.ByScore(threshold) : verdict;
        return verdict.Without(_options.Excluded);
    }
}
