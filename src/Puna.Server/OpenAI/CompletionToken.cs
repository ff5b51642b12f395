using Puna.Runtime.Sampling;

namespace Puna.Server.OpenAI;

/// <summary>A token of a continued text.</summary>
/// <param name="Token">Its id.</param>
/// <param name="LogProbs">How likely it was; null for the first of a prompt, before which nothing stands.</param>
/// <param name="Offset">Where it begins in the text.</param>
internal readonly record struct CompletionToken(int Token, TokenLogProbs? LogProbs, int Offset);
