namespace Puna.Runtime.Generation;

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended its text, or a stop string was met.</summary>
    Stop,

    /// <summary>As many tokens as were asked for.</summary>
    Length,

    /// <summary>The model's context is full.</summary>
    Context,
}
