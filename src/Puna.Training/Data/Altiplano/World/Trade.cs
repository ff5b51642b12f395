namespace Puna.Training.Data.Altiplano;

/// <summary>What somebody lives by.</summary>
/// <param name="Noun">What such a person is called.</param>
/// <param name="Work">What such a person did all day, after a subject: <c>wove blankets</c>.</param>
/// <param name="Makes">Which good comes of it, an index into the table of goods.</param>
internal sealed record Trade(string Noun, string Work, int Makes);
