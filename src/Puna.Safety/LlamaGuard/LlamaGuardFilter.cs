using Puna.Runtime.Filtering;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Safety.LlamaGuard;

/// <summary>Lets messages pass that a Llama Guard calls safe; an answer that is no verdict does not let pass.</summary>
/// <param name="classifier">The Llama Guard.</param>
public sealed class LlamaGuardFilter(LlamaGuardClassifier classifier) : IContentFilter
{
    /// <inheritdoc/>
    public ContentVerdict Check(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel = default)
    {
        GuardVerdict verdict = classifier.Classify(Turns(conversation), cancel);
        if (verdict.IsAllowed)
        {
            return ContentVerdict.Allowed with { Score = verdict.Score };
        }

        string names = string.Join(", ", verdict.Categories.Select(code => classifier.Categories.FirstOrDefault(c => c.Code == code) is { } known ? $"{code} {known.Name}" : code));
        string reason = verdict.State == GuardState.Malformed ? "the guard gave no verdict" : names.Length > 0 ? $"unsafe: {names}" : "unsafe";
        return new ContentVerdict(false, reason, verdict.Categories, verdict.Score);
    }

    /// <summary>
    /// A conversation as Llama Guard's prompt takes it: turns of user and agent in alternation. System messages are not part of it; what one side says in several messages is one turn; a tool's answer is the agent's doing, as
    /// it is in the agent's reply that it can do harm.
    /// </summary>
    /// <exception cref="PunaException">There is nothing to judge.</exception>
    public static IReadOnlyList<GuardMessage> Turns(IReadOnlyList<ChatMessage> conversation)
    {
        var turns = new List<GuardMessage>();
        foreach (ChatMessage message in conversation)
        {
            if (message.Role == ChatRole.System)
            {
                continue;
            }

            GuardRole role = message.Role == ChatRole.User ? GuardRole.User : GuardRole.Agent;
            if (turns.Count == 0 && role == GuardRole.Agent)
            {
                turns.Add(new GuardMessage(GuardRole.User, ""));
            }

            if (turns.Count > 0 && turns[^1].Role == role)
            {
                turns[^1] = turns[^1] with { Text = $"{turns[^1].Text}\n\n{message.Content}", Images = turns[^1].Images + message.Images.Count };
            }
            else
            {
                turns.Add(new GuardMessage(role, message.Content, message.Images.Count));
            }
        }

        return turns.Count > 0 ? turns : throw new PunaException("conversation: expected a message of a user or an assistant, got none");
    }
}
