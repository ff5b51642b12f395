namespace Puna.Training.Data.Altiplano;

/// <summary>One true thing of the simulated world behind a story.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Subject">Of whom or what: a name of the story.</param>
/// <param name="Relation">How subject and value belong together: <c>colour</c>, <c>found at</c>, <c>coins paid</c>.</param>
/// <param name="Value">The value, as the story says it.</param>
/// <param name="Number">The value where it is a number.</param>
public sealed record AltiplanoFact(FactKind Kind, string Subject, string Relation, string Value, int? Number = null);
