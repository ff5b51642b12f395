using Puna.Text.Chat;

namespace Puna.Runtime.Filtering;

/// <summary>Judges prompts before a model sees them, and replies before a user does. Implementations may be used by one thread at a time.</summary>
public interface IContentFilter
{
    /// <summary>Judges the last message of a conversation; those before it are what it is to be understood from.</summary>
    /// <param name="conversation">At least one message; the role of the last says whether it is a prompt (user, tool) or a reply (assistant).</param>
    /// <param name="cancel">Stops the judging.</param>
    /// <exception cref="Tensors.PunaException">The message cannot be judged, for example because it is longer than the judge can read; it must then not be let through.</exception>
    ContentVerdict Check(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel = default);
}
