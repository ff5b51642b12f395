using Puna.Runtime.Filtering;
using Puna.Text.Chat;

namespace Puna.Safety.CodeScan;

/// <summary>Stops replies with code that is not to be handed out. Prompts pass: who asks may show insecure code.</summary>
/// <param name="scanner">What to look for.</param>
/// <param name="from">From which severity on a reply is stopped.</param>
public sealed class CodeScanFilter(CodeScanner scanner, CodeSeverity from = CodeSeverity.Block) : IContentFilter
{
    /// <inheritdoc/>
    public ContentVerdict Check(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel = default)
    {
        if (conversation[^1].Role != ChatRole.Assistant)
        {
            return ContentVerdict.Allowed;
        }

        CodeFinding[] findings = [.. scanner.ScanReply(conversation[^1].Content).Where(f => f.Rule.Severity >= from)];
        return findings.Length == 0
            ? ContentVerdict.Allowed
            : new ContentVerdict(false, $"insecure code: {findings[0].Rule.Title} in line {findings[0].Line}", [.. findings.Select(static f => $"CWE-{f.Rule.Cwe}").Distinct()]);
    }
}
