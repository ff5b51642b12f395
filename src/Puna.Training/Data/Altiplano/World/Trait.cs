namespace Puna.Training.Data.Altiplano;

/// <summary>A side of somebody's nature that decides what he does.</summary>
/// <param name="Word">The adjective.</param>
/// <param name="Habit">A phrasing that shows it, said of <c>h</c>.</param>
internal sealed record Trait(string Word, string Habit);
