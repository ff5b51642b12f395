namespace Puna.Runtime.Serving;

/// <summary>How the states of a text's tokens become one vector.</summary>
public enum EmbeddingPooling
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The last one, which has seen all others.</summary>
    Last,
}
