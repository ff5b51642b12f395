using System.Text.RegularExpressions;

namespace Puna.Safety.CodeScan;

/// <summary>
/// Looks for insecure patterns in code that a model wrote. It reads text, not programs: it finds what is commonly written, and misses what is hidden well or far apart. Immutable; may be used from any number of threads.
/// </summary>
/// <param name="rules">What to look for.</param>
public sealed class CodeScanner(IReadOnlyList<CodeRule> rules)
{
    /// <summary>Findings of one rule in one piece of code; more say nothing new. Bounds the time a hostile text can take.</summary>
    private const int MostPerRule = 20;
    private const int MostMatches = 200;

    private const int LongestExcerpt = 160;

    /// <summary>A scanner with the rules of this assembly.</summary>
    public static CodeScanner Default { get; } = new(CodeRules.BuiltIn);

    /// <summary>The worst of some findings; null where there is none.</summary>
    public static CodeSeverity? Worst(IReadOnlyList<CodeFinding> findings) => findings.Count == 0 ? null : findings.Max(static f => f.Rule.Severity);

    /// <summary>Scans a Markdown reply: its code blocks, each in the language its fence names, or else the one it seems to be in, or else, where the fence names none, in all. Text outside of blocks is prose, and passed over.</summary>
    public IReadOnlyList<CodeFinding> ScanReply(string markdown)
    {
        var findings = new List<CodeFinding>();
        foreach (CodeBlock block in CodeBlocks.Extract(markdown))
        {
            findings.AddRange(ScanTagged(block.Code, block.Tag).Select(f => f with { Line = f.Line + block.Line - 1 }));
        }

        return findings;
    }

    /// <summary>Scans code of which the language is not known: in the one it seems to be in, or else in all.</summary>
    public IReadOnlyList<CodeFinding> ScanUnknown(string code) => ScanTagged(code, "");

    /// <summary>Scans code.</summary>
    /// <param name="code">The code alone.</param>
    /// <param name="language">Its language.</param>
    /// <returns>Findings by line.</returns>
    public IReadOnlyList<CodeFinding> Scan(string code, CodeLanguage language)
    {
        string text = CodeComments.Blank(code, language);
        var findings = new List<CodeFinding>();
        foreach (CodeRule rule in rules)
        {
            if (rule.Languages.Contains(language))
            {
                Find(rule, text, language, findings);
            }
        }

        return [.. findings.OrderBy(static f => f.Line).ThenBy(static f => f.Rule.Id, StringComparer.Ordinal)];
    }

    private IReadOnlyList<CodeFinding> ScanTagged(string code, string tag) => (CodeLanguages.Find(tag) ?? CodeLanguages.Guess(code)) is CodeLanguage language
        ? Scan(code, language)
        : tag.Length > 0 ? [] // another language, of which there are no rules
        : [.. Enum.GetValues<CodeLanguage>().SelectMany(each => Scan(code, each)).DistinctBy(static f => (f.Line, f.Rule.Id)).OrderBy(static f => f.Line)];

    private static void Find(CodeRule rule, string text, CodeLanguage language, List<CodeFinding> findings)
    {
        int count = 0, matches = 0, last = 0, counted = 0, line = 1;
        for (Match match = rule.Pattern.Match(text); match.Success && count < MostPerRule && matches < MostMatches; matches++)
        {
            // Where a pattern begins with what stands before, the finding is where the code is.
            int at = match.Index;
            while (at < match.Index + match.Length - 1 && char.IsWhiteSpace(text[at]))
            {
                at++;
            }

            int start = text.LastIndexOf('\n', Math.Max(0, at - 1), Math.Max(0, at)) + 1;
            int end = text.IndexOf('\n', match.Index + match.Length);
            end = end < 0 ? text.Length : end;
            if (rule.Unless?.IsMatch(text[start..end]) != true)
            {
                line += text.AsSpan(counted, at - counted).Count('\n');
                counted = at;
                int stop = text.IndexOf('\n', at);
                string excerpt = text[start..(stop < 0 ? text.Length : stop)].Trim();
                if (line != last)
                {
                    findings.Add(new CodeFinding(rule, language, line, excerpt.Length <= LongestExcerpt ? excerpt : string.Concat(excerpt.AsSpan(0, LongestExcerpt), "…")));
                    last = line;
                    count++;
                }
            }

            match = match.NextMatch();
        }
    }
}
