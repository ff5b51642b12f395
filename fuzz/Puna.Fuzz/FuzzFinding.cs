namespace Puna.Fuzz;

/// <summary>An input that a parser did not survive as it should.</summary>
/// <param name="Iteration">Which input of the run, or -1 - n for member n of the corpus.</param>
/// <param name="Problem">What happened.</param>
/// <param name="Input">The input.</param>
public sealed record FuzzFinding(long Iteration, string Problem, byte[] Input);
