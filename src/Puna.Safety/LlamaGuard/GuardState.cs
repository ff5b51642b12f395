namespace Puna.Safety.LlamaGuard;

/// <summary>What a Llama Guard's answer comes to.</summary>
public enum GuardState
{
    /// <summary>Nothing was found.</summary>
    Safe,

    /// <summary>Something was found.</summary>
    Unsafe,

    /// <summary>The answer is no verdict. Whoever lets messages pass by verdicts must treat it as <see cref="Unsafe"/>.</summary>
    Malformed,
}
