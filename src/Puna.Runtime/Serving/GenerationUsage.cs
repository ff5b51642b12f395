namespace Puna.Runtime.Serving;

/// <summary>What a request took. Complete once its events have ended.</summary>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="CachedTokens">How many of them were not computed again.</param>
/// <param name="GeneratedTokens">Tokens generated in all choices, those that ended them included.</param>
/// <param name="GuessedTokens">Tokens guessed ahead.</param>
/// <param name="AcceptedTokens">How many of them were right.</param>
/// <param name="Preemptions">How often it was set back for want of memory.</param>
/// <param name="Queued">Time until it was taken up.</param>
/// <param name="Prefill">From there to the first token.</param>
/// <param name="Decode">From the first token to the last.</param>
public sealed record GenerationUsage(
    int PromptTokens, int CachedTokens, int GeneratedTokens, int GuessedTokens, int AcceptedTokens, int Preemptions, TimeSpan Queued, TimeSpan Prefill, TimeSpan Decode);
