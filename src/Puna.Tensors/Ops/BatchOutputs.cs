namespace Puna.Tensors;

/// <summary>Which tokens of a sequence the model is asked for logits of.</summary>
public enum BatchOutputs
{
    /// <summary>None: the beginning of a prompt that comes in chunks.</summary>
    None,

    /// <summary>The last token only: generation.</summary>
    Last,

    /// <summary>Every token: scoring and training.</summary>
    All,
}
