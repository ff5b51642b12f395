using System.Text.Json;
using Puna.Safety.CodeScan;
using Puna.Text.Chat;

namespace Puna.Cli.Guarding;

/// <summary>The scanner for insecure code.</summary>
/// <param name="language">The language of texts that are code throughout; null where they are Markdown replies, or code where they have no code blocks.</param>
internal sealed class CodeJudge(CodeLanguage? language) : GuardJudge
{
    /// <inheritdoc/>
    public override bool Write(Utf8JsonWriter json, IReadOnlyList<ChatMessage> conversation, CancellationToken cancel)
    {
        string text = conversation[^1].Content;
        IReadOnlyList<CodeFinding> findings = language is CodeLanguage known ? CodeScanner.Default.Scan(text, known)
            : CodeBlocks.Extract(text).Count > 0 ? CodeScanner.Default.ScanReply(text)
            : CodeScanner.Default.ScanUnknown(text);
        CodeSeverity? worst = CodeScanner.Worst(findings);
        json.WriteString("verdict", worst is null ? "safe" : worst.Value.ToString().ToLowerInvariant());
        json.WriteStartArray("findings");
        foreach (CodeFinding finding in findings)
        {
            json.WriteStartObject();
            json.WriteString("rule", finding.Rule.Id);
            json.WriteString("cwe", $"CWE-{finding.Rule.Cwe}");
            json.WriteString("severity", finding.Rule.Severity.ToString().ToLowerInvariant());
            json.WriteString("language", finding.Language.Name());
            json.WriteNumber("line", finding.Line);
            json.WriteString("code", finding.Excerpt);
            json.WriteString("title", finding.Rule.Title);
            json.WriteString("advice", finding.Rule.Advice);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        return worst != CodeSeverity.Block;
    }
}
