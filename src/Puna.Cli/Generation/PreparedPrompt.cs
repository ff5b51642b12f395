namespace Puna.Cli.Generation;

/// <summary>What a model is given, and how its answer is shown.</summary>
/// <param name="Ids">The token ids.</param>
/// <param name="Shown">The text that the answer continues, to be printed before it; null where the answer stands alone (a chat format, or no tokenizer).</param>
/// <param name="StopIds">Tokens that end the answer; null means those of the model.</param>
internal sealed record PreparedPrompt(int[] Ids, string? Shown, IReadOnlyList<int>? StopIds);
