namespace Puna.Runtime.Chat;

/// <summary>Why a reply ended.</summary>
public enum ChatFinishReason
{
    /// <summary>The model ended it, or a stop string was met.</summary>
    Stop,

    /// <summary>As many tokens as were asked for, or the context is full.</summary>
    Length,

    /// <summary>It calls tools.</summary>
    ToolCalls,

    /// <summary>A content filter refused it.</summary>
    ContentFilter,
}
