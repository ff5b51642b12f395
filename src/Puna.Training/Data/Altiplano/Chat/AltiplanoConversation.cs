using Puna.Text.Chat;

namespace Puna.Training.Data.Altiplano;

/// <summary>A conversation whose replies can be judged. It ends with a reply of the assistant.</summary>
/// <param name="Index">Which one it is.</param>
/// <param name="Kind">What it is about.</param>
/// <param name="Messages">The turns, with replies that pass their checks.</param>
/// <param name="Checks">One for each reply of the assistant, in order.</param>
public sealed record AltiplanoConversation(long Index, ConversationKind Kind, IReadOnlyList<ChatMessage> Messages, IReadOnlyList<TurnCheck> Checks);
