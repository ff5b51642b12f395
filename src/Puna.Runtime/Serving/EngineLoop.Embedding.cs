namespace Puna.Runtime.Serving;

/// <summary>Texts that become vectors: a piece of one beside each pass. A text is computed to its end before the next, which is of the next key.</summary>
internal sealed partial class EngineLoop
{
    private void DropEndedJobs()
    {
        for (int i = _embedding.Count - 1; i >= 0; i--)
        {
            EmbeddingJob job = _embedding[i];
            if (job.IsAbandoned)
            {
                job.GiveBack();
                _embedding.RemoveAt(i);
            }
            else if (TooLate(job.Arrived, isNew: !job.HasBegun) is { } error)
            {
                job.Fail(error);
                _embedding.RemoveAt(i);
            }
        }
    }

    /// <summary>Computes a piece.</summary>
    /// <returns>Whether there was one, and room for it.</returns>
    private bool Embed()
    {
        if (_embedding.Count == 0)
        {
            return false;
        }

        // Texts that are being generated wait for it.
        EmbeddingJob job = _embedding[0];
        int tokens = _planned.Exists(IsDecoding) ? Math.Clamp(_pacer.Room(), LeastPiece, _options.PrefillChunk) : _options.MaxBatchedTokens;
        if (!job.Step(_model, _ops, _cache, _batch, _context, tokens, MakeRoom))
        {
            // What holds the memory gives it back when it ends; a text that never fits was refused before.
            return false;
        }

        if (job.Result.IsCompleted)
        {
            job.GiveBack();
            _embedding.RemoveAt(0);
        }

        if (!job.HoldsBlocks)
        {
            PassOn(job.Key);
        }

        return true;
    }

    /// <summary>Jobs of a key step behind those of the others.</summary>
    private void PassOn(string key)
    {
        int others = 0;
        for (int i = 0; i < _embedding.Count; i++)
        {
            if (_embedding[i].Key != key)
            {
                EmbeddingJob job = _embedding[i];
                _embedding.RemoveAt(i);
                _embedding.Insert(others++, job);
            }
        }
    }

    /// <summary>Takes the blocks of the text that is becoming a vector, for one that is being generated and cannot go on without them.</summary>
    private bool TakeFromJobs()
    {
        EmbeddingJob? job = _embedding.Find(static j => j.HoldsBlocks);
        job?.GiveBack();
        return job is not null;
    }
}
