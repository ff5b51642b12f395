using Puna.Text.Chat;

namespace Puna.Runtime.Filtering;

/// <summary>Judges prompts before a model sees them, and replies before a user does. Implementations may be used by one thread at a time.</summary>
public interface IContentFilter
{
    /// <summary>Judges the end of a conversation: a reply, or all that users and tools have said since the last one. What is before it is what it is to be understood from.</summary>
    /// <param name="conversation">At least one message; the role of the last says whether a prompt (user, tool) or a reply (assistant) is judged.</param>
    /// <param name="cancel">Stops the judging.</param>
    /// <exception cref="Tensors.PunaException">The message cannot be judged, for example because it is longer than the judge can read; it must then not be let through.</exception>
    ContentVerdict Check(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel = default);
}
