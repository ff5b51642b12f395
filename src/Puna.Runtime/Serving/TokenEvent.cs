using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;

namespace Puna.Runtime.Serving;

/// <summary>One generated token and the text that is certain now.</summary>
/// <param name="Choice">Which of the texts.</param>
/// <param name="Token">The token's id; the token that ended the text is included. -1 where the text ends without another token, because there is no memory for more or none was asked for.</param>
/// <param name="Text">Text to show now: whole characters only, and nothing that may turn out to be a stop string. May be empty.</param>
/// <param name="LogProbs">Log-probabilities, where they were asked for.</param>
/// <param name="Finish">Set on the last token of the choice.</param>
/// <param name="StopString">On the last token, the stop string that was met, or null.</param>
public readonly record struct TokenEvent(int Choice, int Token, string Text, TokenLogProbs? LogProbs, FinishReason? Finish, string? StopString);
