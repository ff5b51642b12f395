namespace Puna.Training.Data;

/// <summary>One stream of a mixture.</summary>
/// <param name="Name">What it is called in a report.</param>
/// <param name="Stream">Gives its documents; the mixture is its only reader.</param>
public sealed record MixtureSource(string Name, ITokenStream Stream);
