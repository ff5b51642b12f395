namespace Puna.Training.Data;

/// <summary>Weights of a mixture from a point on.</summary>
/// <param name="FromTokens">They hold for every document drawn once the mixture has given at least so many tokens.</param>
/// <param name="Weights">Per source, in the order of the sources: its share of the tokens, up to a common factor.</param>
public sealed record MixturePhase(long FromTokens, IReadOnlyList<double> Weights);
