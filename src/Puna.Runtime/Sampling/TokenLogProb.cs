namespace Puna.Runtime.Sampling;

/// <summary>A token and the natural logarithm of its probability.</summary>
/// <param name="Token">Id of the token.</param>
/// <param name="LogProb">At most 0; negative infinity for a token that cannot follow.</param>
public readonly record struct TokenLogProb(int Token, float LogProb);
