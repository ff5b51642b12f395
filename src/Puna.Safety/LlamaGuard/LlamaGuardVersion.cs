namespace Puna.Safety.LlamaGuard;

/// <summary>The released Llama Guards. They differ in the base model, in the frame of the prompt and in the categories (spec llama1-3.md 1.5 and 6.9).</summary>
public enum LlamaGuardVersion
{
    /// <summary>Llama Guard 7B, of Llama 2.</summary>
    One,

    /// <summary>Llama Guard 2 8B, of Llama 3.</summary>
    Two,

    /// <summary>Llama Guard 3 8B, of Llama 3.1.</summary>
    Three8B,

    /// <summary>Llama Guard 3 1B, of Llama 3.2.</summary>
    Three1B,

    /// <summary>Llama Guard 3 11B Vision, of Llama 3.2.</summary>
    Three11BVision,

    /// <summary>Llama Guard 4 12B, of Llama 4.</summary>
    Four,
}
