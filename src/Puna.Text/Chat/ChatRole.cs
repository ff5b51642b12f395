namespace Puna.Text.Chat;

/// <summary>Who a message of a conversation is from.</summary>
public enum ChatRole
{
    /// <summary>Instructions that hold for the whole conversation.</summary>
    System,

    /// <summary>The person.</summary>
    User,

    /// <summary>The model.</summary>
    Assistant,

    /// <summary>The answer of a tool; Llama 3.1 and later write this role as <c>ipython</c>.</summary>
    Tool,
}
