using System.Text.Json;
using Puna.Safety.PromptGuard;
using Puna.Text.Chat;

namespace Puna.Cli.Guarding;

/// <summary>A Prompt Guard.</summary>
/// <param name="classifier">The model.</param>
/// <param name="threshold">From which probability on a text is unsafe.</param>
/// <param name="isIndirect">Whether texts come from elsewhere than the user.</param>
internal sealed class PromptGuardJudge(PromptGuardClassifier classifier, double threshold, bool isIndirect) : GuardJudge
{
    /// <inheritdoc/>
    public override bool Write(Utf8JsonWriter json, IReadOnlyList<ChatMessage> conversation, CancellationToken cancel)
    {
        PromptGuardResult result = classifier.Classify(conversation[^1].Content, cancel);
        double score = isIndirect || conversation[^1].Role == ChatRole.Tool ? result.Indirect : result.Jailbreak;
        bool isAllowed = score < threshold;
        json.WriteString("verdict", isAllowed ? "safe" : "unsafe");
        WriteNumber(json, "score", score);
        json.WriteString("label", result.Label);
        json.WriteStartObject("probabilities");
        for (int i = 0; i < result.Labels.Count; i++)
        {
            WriteNumber(json, result.Labels[i], result.Probabilities[i]);
        }

        json.WriteEndObject();
        json.WriteNumber("windows", result.Windows);
        return isAllowed;
    }
}
