namespace Puna.Cli.Generation;

/// <summary>What a chat has come to: the messages of a conversation, or a plain text that grows.</summary>
internal interface IConversation
{
    /// <summary>Tokens that end a reply; null means those of the model.</summary>
    IReadOnlyList<int>? StopIds { get; }

    /// <summary>Whether an empty line asks for more.</summary>
    bool GoesOnWithoutText { get; }

    /// <summary>Adds what the user typed.</summary>
    /// <returns>The whole prompt as ids.</returns>
    /// <exception cref="Tensors.PunaException">It has no place here; nothing has been added.</exception>
    int[] Ask(string text);

    /// <summary>Adds the reply.</summary>
    /// <param name="text">What there is of it; may be empty.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="isEnded">Whether the model ended it; otherwise it was cut off.</param>
    void Reply(string text, IReadOnlyList<int> tokens, bool isEnded);

    /// <summary>Takes back what the user typed last: it could not be answered.</summary>
    void TakeBack();

    /// <summary>Forgets everything but the system message.</summary>
    void Reset();

    /// <summary>Sets the system message; null or empty removes it.</summary>
    /// <exception cref="Tensors.PunaException">There is no place for one.</exception>
    void SetSystem(string? text);
}
