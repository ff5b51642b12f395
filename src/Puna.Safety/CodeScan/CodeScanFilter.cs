using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Runtime.Filtering;
using Puna.Text.Chat;
using Puna.Text.Tools;

namespace Puna.Safety.CodeScan;

/// <summary>
/// Stops replies with code that is not to be handed out, or to be run: in the code blocks of a reply, and in the arguments of its tool calls. Prompts pass: who asks may show insecure code.
/// </summary>
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

        ChatMessage reply = conversation[^1];
        IEnumerable<CodeFinding> called = (reply.ToolCalls ?? []).SelectMany(Texts).SelectMany(scanner.ScanUnknown);
        CodeFinding[] findings = [.. scanner.ScanReply(reply.Content).Concat(called).Where(f => f.Rule.Severity >= from)];
        return findings.Length == 0
            ? ContentVerdict.Allowed
            : new ContentVerdict(false, $"insecure code: {findings[0].Rule.Title} in line {findings[0].Line}", [.. findings.Select(static f => $"CWE-{f.Rule.Cwe}").Distinct()]);
    }

    /// <summary>The texts among the arguments of a call, without JSON's escapes, at any depth.</summary>
    private static IEnumerable<string> Texts(ToolCall call)
    {
        JsonNode? arguments;
        try
        {
            arguments = JsonNode.Parse(call.Arguments);
        }
        catch (JsonException)
        {
            // A call that was cut short; its escapes are undone as far as rules look at what they stand for.
            return [call.Arguments.Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\\"", "\"", StringComparison.Ordinal)];
        }

        return Texts(arguments);
    }

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(static member => Texts(member.Value)),
        JsonArray items => items.SelectMany(Texts),
        JsonValue value when value.TryGetValue(out string? text) => [text],
        _ => [],
    };
}
