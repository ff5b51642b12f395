using Puna.Models;
using Puna.Runtime.Generation;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>
/// A small model that guesses the next tokens of texts that a large one generates (speculative decoding: Leviathan, Kalman, Matias 2023, arXiv:2211.17192). It draws with the same
/// random number that the large one will draw with at that place, so similar distributions mostly give the same token; and a guess counts only where it is the token that is drawn, so
/// the text is the one that would have been generated anyway, at any temperature. Belongs to the engine's thread.
/// </summary>
internal sealed class DraftModel : IDisposable
{
    private readonly LanguageModel _model;
    private readonly CpuOps _ops;
    private readonly KvCache _cache;
    private readonly Batch _batch = new();
    private readonly ForwardContext _context = new();
    private readonly List<KvSequence> _caches = [];
    private readonly List<ActiveSequence> _guessing = [];
    private readonly int _vocabulary;
    private readonly int _piece;
    private int[] _tokens = [];
    private float[] _logits = [];

    /// <summary>Prepares to guess for a model.</summary>
    /// <param name="draft">The small model.</param>
    /// <param name="model">The large one.</param>
    /// <param name="ops">The device.</param>
    /// <param name="vocabulary">Tokens that can be drawn.</param>
    /// <param name="piece">Most tokens of a text to read in one pass.</param>
    /// <exception cref="PunaException">The models have different vocabularies.</exception>
    public DraftModel(LanguageModel draft, LanguageModel model, CpuOps ops, int vocabulary, int piece)
    {
        (_model, _ops, _vocabulary, _piece) = (draft, ops, vocabulary, piece);
        if (draft.Llama.Config.RopeScaling is RopeScaling.Dynamic || draft.Llama.Config.Labels > 0)
        {
            throw new PunaException($"draft model {draft.Checkpoint.Path}: expected a language model whose rotary base is fixed, got another");
        }

        if (Difference(draft, model, vocabulary) is string difference)
        {
            throw new PunaException($"draft model {draft.Checkpoint.Path}: expected the vocabulary of {model.Checkpoint.Path}, got {difference}");
        }

        _cache = draft.Llama.CreateCache();
    }

    /// <summary>Guesses the tokens that follow some texts: up to <see cref="ActiveSequence.GuessCount"/> of each, which is set to how many there are.</summary>
    public void Guess(IReadOnlyList<ActiveSequence> sequences)
    {
        _guessing.Clear();
        int longest = 0;
        foreach (ActiveSequence sequence in sequences)
        {
            sequence.DraftCache ??= _cache.CreateSequence();
            if (sequence.Count + sequence.GuessCount > _model.Llama.Config.TokenLimit)
            {
                sequence.GuessCount = 0;
            }

            if (sequence.GuessCount > 0)
            {
                _guessing.Add(sequence);
                longest = Math.Max(longest, sequence.GuessCount);
            }
        }

        for (int i = 0; i < longest; i++)
        {
            Round(i);
        }
    }

    /// <summary>Forgets what was guessed wrong.</summary>
    /// <param name="sequence">A text.</param>
    /// <param name="right">Tokens of it that are certain, of those the draft may have read.</param>
    public static void Keep(ActiveSequence sequence, int right)
    {
        if (sequence.DraftCache is { } cache && cache.Length > right)
        {
            cache.Truncate(cache.Restorable(right));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _cache.Dispose();

    private static string? Difference(LanguageModel draft, LanguageModel model, int vocabulary)
    {
        int own = Math.Min((int)draft.Llama.Output.Weight.Out, draft.Tokenizer?.VocabularySize ?? int.MaxValue);
        if (own != vocabulary || draft.Tokenizer is null != model.Tokenizer is null)
        {
            return $"one of {own} tokens in place of {vocabulary}";
        }

        for (int id = 0; draft.Tokenizer is not null && id < vocabulary; id++)
        {
            if (!draft.Tokenizer.TokenBytes(id).SequenceEqual(model.Tokenizer!.TokenBytes(id)))
            {
                return $"another token {id}";
            }
        }

        return null;
    }

    /// <summary>One token more for each text that still wants one. Before the first, each text is read as far as the draft has not read it.</summary>
    private void Round(int guessed)
    {
        _batch.Clear();
        _caches.Clear();
        foreach (ActiveSequence sequence in _guessing)
        {
            if (sequence.GuessCount <= guessed)
            {
                continue;
            }

            KvSequence cache = sequence.DraftCache!;
            int known = sequence.Count + guessed, first = cache.Length;
            int count = Math.Min(known - first, _piece);
            if (first + count < known)
            {
                // A long text is read over several steps, and guessed when that is done.
                sequence.GuessCount = 0;
            }

            _tokens = _tokens.Length < count ? new int[count] : _tokens;
            for (int i = 0; i < count; i++)
            {
                _tokens[i] = first + i < sequence.Count ? sequence.Tokens[first + i] : sequence.Guesses[first + i - sequence.Count];
            }

            _batch.Add(_tokens.AsSpan(0, count), first, sequence.GuessCount == 0 ? BatchOutputs.None : BatchOutputs.Last);
            _caches.Add(cache);
        }

        if (_batch.Count == 0)
        {
            return;
        }

        Forward();
        int row = 0, width = (int)_model.Llama.Output.Weight.Out;
        foreach (ActiveSequence sequence in _guessing)
        {
            if (sequence.GuessCount > guessed)
            {
                sequence.Guesses[guessed] = sequence.Guess(_logits.AsSpan(row++ * width, _vocabulary), guessed);
            }
        }
    }

    private void Forward()
    {
        lock (_ops.Gate)
        {
            _model.EnterPass();
            ArenaMark mark = _ops.Mark();
            try
            {
                Tensor logits = _model.Llama.Forward(_ops, _batch, _context, _caches);
                int count = checked(_batch.Outputs.Length * (int)_model.Llama.Output.Weight.Out);
                _logits = _logits.Length < count ? new float[count] : _logits;
                if (count > 0)
                {
                    _ops.Read(logits, _logits.AsSpan(0, count));
                }
            }
            finally
            {
                _ops.Release(mark);
                _model.ExitPass();
            }
        }
    }
}
