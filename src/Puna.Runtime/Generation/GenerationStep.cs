using Puna.Runtime.Sampling;

namespace Puna.Runtime.Generation;

/// <summary>One generated token and the text that is certain now.</summary>
/// <param name="Token">The token's id; the token that ended the generation is included.</param>
/// <param name="Text">Text to show now: whole characters only, and nothing that may turn out to be a stop string. May be empty.</param>
/// <param name="LogProbs">Log-probabilities, where they were asked for.</param>
/// <param name="Finish">Set on the last step.</param>
public readonly record struct GenerationStep(int Token, string Text, TokenLogProbs? LogProbs, FinishReason? Finish);
