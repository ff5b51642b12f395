using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>What a pass computes: a token of every text, guesses, and pieces of prompts, as far as there is room.</summary>
internal sealed partial class EngineLoop
{
    /// <summary>Decides what the coming pass computes.</summary>
    private void Plan()
    {
        _planned.Clear();
        int budget = _options.MaxBatchedTokens;
        int room = _pacer.Room();
        bool hasDecodes = false;

        Guess(Math.Min(budget, room));

        // A request that is set back on the way disappears from the list, hence the copy.
        foreach (ActiveRequest request in _running.ToArray())
        {
            foreach (ActiveSequence sequence in request.Sequences)
            {
                if (IsDecoding(sequence))
                {
                    // There is room for a token of every text; guesses share what is left.
                    int planned = PlanTokens(sequence, 1, Math.Clamp(budget - 1, 0, sequence.GuessCount));
                    budget -= planned;
                    room -= planned;
                    hasDecodes = true;
                }
            }
        }

        if (hasDecodes)
        {
            budget = Math.Min(budget, Math.Max(room, LeastPiece));
        }

        int scored = MostScored;
        foreach (ActiveRequest request in _running.ToArray())
        {
            foreach (ActiveSequence sequence in request.Sequences)
            {
                if (sequence.Cache is not null && !sequence.IsDone && sequence.Pending > 1 && budget > 0)
                {
                    int piece = _isDynamic ? sequence.Pending : Math.Min(sequence.Pending, Math.Min(budget, hasDecodes ? _options.PrefillChunk : budget));
                    if (request.NeedsPromptLogProbs)
                    {
                        piece = Math.Min(piece, scored);
                        scored -= piece;
                    }

                    budget -= piece > 0 ? PlanTokens(sequence, piece, 0) : 0;
                }
            }
        }

        _planned.RemoveAll(static s => s.PlannedTokens == 0);
    }

    /// <summary>Most texts to generate together: as many as a pass has room for, of which a quarter is left to prompts.</summary>
    private int MostSequences()
    {
        int room = _pacer.Room();
        return Math.Min(_options.MaxSequences, Math.Max(LeastSequences, room - (room / 4)));
    }

    private static bool IsDecoding(ActiveSequence sequence) => sequence.Cache is not null && !sequence.IsDone && sequence.Pending == 1;

    /// <summary>Guesses how texts go on. Guesses cost rows of the pass, and are worth them while these are cheap: where few texts are generated.</summary>
    private void Guess(int budget)
    {
        _guessing.Clear();
        int decodes = 0;
        foreach (ActiveRequest request in _running)
        {
            foreach (ActiveSequence sequence in request.Sequences)
            {
                sequence.GuessCount = 0;
                if (IsDecoding(sequence))
                {
                    decodes++;
                    _guessing.Add(sequence);
                }
            }
        }

        int share = decodes == 0 ? 0 : Math.Min(Math.Min(_options.GuessTokens, PromptLookup.Most), (budget / decodes) - 1);
        if (share <= 0 || _isDynamic)
        {
            return;
        }

        foreach (ActiveSequence sequence in _guessing)
        {
            // The last token of a text needs no guess behind it, and local layers cannot take tokens back across the end of a chunk.
            int left = Math.Min(_limit - sequence.Count, (sequence.Owner.Request.MaxTokens ?? int.MaxValue) - sequence.Generated) - 1;
            int inChunk = _cache.Chunk - (sequence.Count % _cache.Chunk) - 1;

            // Behind the last token of a prompt nothing is guessed: its choices begin from what is cached then.
            int most = sequence.Owner.IsForked ? Math.Max(0, Math.Min(share, Math.Min(left, inChunk))) : 0;

            // A draft does not see pictures, nor know their tokens.
            sequence.GuessCount = _draft is not null && _draftFailures < MostFailures ? (sequence.Owner.Images is null ? most : 0) : PromptLookup.Guess(sequence.Tokens, sequence.Guesses.AsSpan(0, most));
        }

        GuessByDraft();
    }

    private void GuessByDraft()
    {
        if (_draft is null || _draftFailures >= MostFailures)
        {
            return;
        }

        try
        {
            _draft.Guess(_guessing);
            _draftFailures = 0;
        }
        catch (Exception)
        {
            // Guesses only save time, so texts go on without them; and without the draft where it fails again and again.
            _draftFailures++;
            foreach (ActiveSequence sequence in _guessing)
            {
                sequence.GuessCount = 0;
                sequence.DraftCache?.Dispose();
                sequence.DraftCache = null;
            }
        }
    }

    private int PlanTokens(ActiveSequence sequence, int tokens, int guesses)
    {
        if (!Grow(sequence, tokens + guesses))
        {
            return 0;
        }

        sequence.PlannedTokens = tokens;
        sequence.GuessCount = guesses;
        _planned.Add(sequence);
        return tokens + guesses;
    }

    /// <summary>Makes room for more tokens of a text, at the cost of others if need be.</summary>
    private bool Grow(ActiveSequence sequence, int tokens)
    {
        int length = sequence.Cache!.Length;
        int blocks = BlocksOf(length + tokens) - BlocksOf(length) + (sequence.Cache.HasSharedTail ? 1 : 0);
        while (!MakeRoom(blocks))
        {
            ActiveRequest? victim = null;
            bool isAlone = true;
            foreach (ActiveRequest request in _running)
            {
                // One whose pictures are being encoded has no blocks to give.
                if (request == sequence.Owner || request.IsEncoding)
                {
                    continue;
                }

                isAlone = false;
                if (request.Preemptions < MostPreemptions && (victim is null || request.Turn > victim.Turn))
                {
                    victim = request;
                }
            }

            // Whoever came last steps back, be it the one that asks.
            if (victim is not null && (victim.Turn > sequence.Owner.Turn || sequence.Owner.Preemptions >= MostPreemptions))
            {
                SetBack(victim);
            }
            else if (!isAlone && sequence.Owner.Preemptions < MostPreemptions)
            {
                SetBack(sequence.Owner);
                return false;
            }
            else if (!TakeFromJobs())
            {
                CutShort(sequence);
                return false;
            }
        }

        try
        {
            sequence.Cache.Reserve(tokens);
            return true;
        }
        catch (OutOfMemoryException e)
        {
            // The machine has less than was allowed: this request fails, and what it held goes to the others.
            End(sequence.Owner, Failure(e));
            return false;
        }
    }

    private bool MakeRoom(int blocks)
    {
        while (Capacity - _cache.UsedBlocks < blocks)
        {
            if (_prefix is null || !_prefix.EvictOne())
            {
                return false;
            }
        }

        return true;
    }
}
