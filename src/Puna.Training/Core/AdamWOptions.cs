using Puna.Tensors;

namespace Puna.Training.Core;

/// <summary>Constants of AdamW, with the defaults of Llama 2 (spec training.md 1.4).</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="Decay">Decoupled weight decay of matrices.</param>
public sealed record AdamWOptions(float Beta1 = 0.9f, float Beta2 = 0.95f, float Epsilon = 1e-5f, float Decay = 0.1f)
{
    /// <summary>Checks the numbers.</summary>
    /// <exception cref="PunaException">Names the first that does not fit.</exception>
    public AdamWOptions Validate(string path)
    {
        Require(Beta1 is >= 0 and < 1, FormattableString.Invariant($"optimizer.beta1: expected 0 or more and less than 1, got {Beta1}"));
        Require(Beta2 is >= 0 and < 1, FormattableString.Invariant($"optimizer.beta2: expected 0 or more and less than 1, got {Beta2}"));
        Require(Epsilon > 0 && float.IsFinite(Epsilon), FormattableString.Invariant($"optimizer.epsilon: expected a positive number, got {Epsilon}"));
        Require(Decay >= 0 && float.IsFinite(Decay), FormattableString.Invariant($"optimizer.decay: expected a number of at least 0, got {Decay}"));
        return this;

        void Require(bool condition, string message)
        {
            if (!condition)
            {
                throw new PunaException($"{message} ({path})");
            }
        }
    }
}
