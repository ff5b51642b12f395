namespace Puna.Tensors;

/// <summary>Which two values of a head a rotary embedding turns together (spec llama1-3.md 2.3).</summary>
public enum RopeLayout
{
    /// <summary>(2i, 2i + 1): Meta's checkpoints and GGUF files of architecture <c>llama</c>.</summary>
    Interleaved,

    /// <summary>(i, i + headDim / 2): Hugging Face checkpoints.</summary>
    HalfSplit,
}
