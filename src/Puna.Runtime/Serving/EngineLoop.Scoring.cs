using Puna.Runtime.Sampling;

namespace Puna.Runtime.Serving;

/// <summary>Log-probabilities of prompts: the logits at each of their places, of which little is kept.</summary>
internal sealed partial class EngineLoop
{
    /// <summary>Places of prompts that a pass gives logits of, all requests together: 64 rows of a vocabulary of 128,256 take 33 MB.</summary>
    private const int MostScored = 64;

    /// <summary>Asks for the logits that tell how likely the prompt's next tokens are, those that are known already left out.</summary>
    /// <param name="sequence">The text.</param>
    /// <param name="at">Row of the batch at which its tokens begin.</param>
    /// <param name="first">Place of the first of them in the text.</param>
    /// <param name="own">How many there are.</param>
    /// <returns>How many rows of logits.</returns>
    private int AddPromptRows(ActiveSequence sequence, int at, int first, int own)
    {
        ActiveRequest request = sequence.Owner;
        int rows = 0;
        for (int i = 0; request.NeedsPromptLogProbs && i < own; i++)
        {
            int next = first + i + 1;
            if (next > request.PromptLogProbs.Count && next < request.Request.Prompt.Count)
            {
                _batch.AddOutput(at + i);
                rows++;
            }
        }

        return rows;
    }

    /// <summary>Takes what a pass said about a prompt.</summary>
    private void TakePrompt(ActiveSequence sequence, int row, int rows)
    {
        ActiveRequest request = sequence.Owner;
        int width = (int)_model.Llama.Output.Weight.Out;
        try
        {
            for (int i = 0; i < rows && sequence.Cache is not null; i++)
            {
                int token = request.Request.Prompt[request.PromptLogProbs.Count + 1];
                ReadOnlySpan<float> logits = _logits.AsSpan((row + i) * width, _scratch.Vocabulary);
                TokenLogProbs found = TokenLogProbs.Compute(logits, Math.Min(token, logits.Length - 1), request.Request.PromptLogProbs ?? 0, _scratch);

                // A place of the vocabulary that no token has: it can stand in a prompt of ids, and is never drawn.
                request.PromptLogProbs.Add(token < logits.Length ? found : found with { Chosen = new TokenLogProb(token, float.NegativeInfinity) });
            }
        }
        catch (Exception e)
        {
            End(request, Failure(e));
        }
    }
}
