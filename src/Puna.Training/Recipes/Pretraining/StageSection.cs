namespace Puna.Training.Recipes.Pretraining;

/// <summary>A later stage of a run: longer texts, with a rotary base that suits them (spec training.md 3.4).</summary>
/// <param name="FromStep">First step of the stage, from 0.</param>
/// <param name="RowTokens">Tokens of a row; as before where not said.</param>
/// <param name="Context">Most tokens of a text; as before where not said.</param>
/// <param name="RopeTheta">Base of the rotary frequencies; as before where not said.</param>
public sealed record StageSection(long FromStep, int? RowTokens = null, int? Context = null, double? RopeTheta = null);
