namespace Puna.Training.Data.Altiplano;

/// <summary>Something that is counted, carried and traded.</summary>
/// <param name="One">One of it: <c>bag of salt</c>.</param>
/// <param name="Many">More of it: <c>bags of salt</c>.</param>
/// <param name="Kind">The stuff alone: <c>salt</c>.</param>
/// <param name="Price">What one of it costs in coins in a usual year.</param>
/// <param name="Mass">Whether the stuff alone is one thing for grammar: the salt was, the potatoes were.</param>
/// <param name="Use">What it is good for.</param>
internal sealed record Good(string One, string Many, string Kind, int Price, bool Mass, GoodUse Use = GoodUse.Thing);
