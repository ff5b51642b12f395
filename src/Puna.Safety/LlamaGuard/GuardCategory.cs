namespace Puna.Safety.LlamaGuard;

/// <summary>A kind of content that Llama Guard looks for.</summary>
/// <param name="Code">What the model calls it in its answer: <c>S1</c>, or <c>O1</c> of Llama Guard 1.</param>
/// <param name="Name">Its name in the prompt, without the full stop.</param>
/// <param name="Policy">What should and should not be said, written into the prompt below the name; null for none, as in the published prompts of Llama Guard 2 and later.</param>
public sealed record GuardCategory(string Code, string Name, string? Policy = null);
