using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>Chooses tokens within what a request allows: its constraint, and the tokens before which it must not stop.</summary>
internal sealed class TokenChoice(int vocabulary, SamplerScratch scratch)
{
    private readonly uint[] _mask = new uint[(vocabulary + 31) / 32];
    private readonly float[] _masked = new float[vocabulary];

    /// <summary>Draws the next token of a text.</summary>
    /// <param name="sequence">The text; its constraint moves on.</param>
    /// <param name="logits">[vocab] float32 as the model gives them; another choice may be drawn from them too.</param>
    /// <param name="stops">Tokens that end a text.</param>
    /// <param name="logProbs">What is to be reported: of the model's own distribution, before all else.</param>
    /// <exception cref="PunaException">Nothing may follow, or the logits are unfit.</exception>
    public int Choose(ActiveSequence sequence, ReadOnlySpan<float> logits, ReadOnlySpan<int> stops, out TokenLogProbs? logProbs)
    {
        GenerationRequest request = sequence.Owner.Request;
        ReadOnlySpan<float> allowed = logits;
        bool mustGoOn = sequence.Generated < request.MinTokens;
        if (sequence.Constraint is not null || mustGoOn)
        {
            logits.CopyTo(_masked);
            if (sequence.Constraint is { } constraint)
            {
                constraint.FillMask(_mask);
                Mask();

                // A text that is complete may end before its least length rather than never.
                mustGoOn = mustGoOn && HasOther(stops);
            }

            for (int i = 0; mustGoOn && i < stops.Length; i++)
            {
                if (stops[i] < _masked.Length)
                {
                    _masked[stops[i]] = float.NegativeInfinity;
                }
            }

            allowed = _masked;
        }

        int token = sequence.Sample(allowed);
        if (sequence.Constraint is { } state && !state.TryAccept(token) && !stops.Contains(token))
        {
            throw new PunaException($"constraint: expected to take token {token}, which its mask allows, got a refusal");
        }

        logProbs = request.Sampling.LogProbs is int top ? TokenLogProbs.Compute(logits, token, top, scratch) : null;
        return token;
    }

    private void Mask()
    {
        for (int i = 0; i < _masked.Length; i++)
        {
            if ((_mask[i >> 5] >> (i & 31) & 1) == 0)
            {
                _masked[i] = float.NegativeInfinity;
            }
        }
    }

    private bool HasOther(ReadOnlySpan<int> stops)
    {
        for (int i = 0; i < _masked.Length; i++)
        {
            if (!float.IsNegativeInfinity(_masked[i]) && !stops.Contains(i))
            {
                return true;
            }
        }

        return false;
    }
}
