namespace Puna.Training.Recipes.Pretraining;

/// <summary>A line of <c>samples.jsonl</c>.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Prompt">The beginning.</param>
/// <param name="Text">Its continuation.</param>
internal sealed record SampleEntry(long Step, string Prompt, string Text);
