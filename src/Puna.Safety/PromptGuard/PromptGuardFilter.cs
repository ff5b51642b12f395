using Puna.Runtime.Filtering;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Safety.PromptGuard;

/// <summary>
/// Stops prompts that Prompt Guard takes for attacks, in any message since the model's last: a user's by the probability of a jailbreak, a tool's answer by that of any instruction in it. Replies and system messages pass, for it was not made for them.
/// </summary>
public sealed class PromptGuardFilter : IContentFilter
{
    /// <summary>From which probability on a text is stopped, where nobody says otherwise.</summary>
    public const double DefaultThreshold = 0.5;

    private readonly PromptGuardClassifier _classifier;
    private readonly double _threshold;

    /// <summary>Creates a filter.</summary>
    /// <param name="classifier">The model.</param>
    /// <param name="threshold">From which probability on a text is stopped.</param>
    /// <exception cref="PunaException">A threshold outside 0 to 1.</exception>
    public PromptGuardFilter(PromptGuardClassifier classifier, double threshold = DefaultThreshold)
    {
        _classifier = classifier;
        _threshold = threshold is >= 0 and <= 1 ? threshold : throw new PunaException($"threshold: expected 0 to 1, got {threshold}");
    }

    /// <inheritdoc/>
    public ContentVerdict Check(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel = default)
    {
        // Several messages may be new at once, such as the answers of two tools: all since the model spoke last are judged.
        ContentVerdict worst = ContentVerdict.Allowed;
        for (int i = conversation.Count - 1; i >= 0 && conversation[i].Role != ChatRole.Assistant; i--)
        {
            if (conversation[i].Role is not (ChatRole.User or ChatRole.Tool))
            {
                continue;
            }

            bool isUser = conversation[i].Role == ChatRole.User;
            PromptGuardResult result = _classifier.Classify(conversation[i].Content, cancel);
            double score = isUser ? result.Jailbreak : result.Indirect;

            // A score that is no number comes of a damaged model, and lets nothing pass.
            if (!(score < _threshold))
            {
                return new ContentVerdict(false, isUser ? "prompt attack" : "instructions in a tool's answer", [result.Label], score);
            }

            worst = worst with { Score = Math.Max(worst.Score ?? 0, score) };
        }

        return worst;
    }
}
