using System.Text;
using Puna.Safety.CodeScan;
using Puna.Tensors;

namespace Puna.Safety.Tests.CodeScan;

public sealed class CodeRulesTests
{
    public static TheoryData<string> Ids => [.. CodeRules.BuiltIn.Select(static r => r.Id)];

    /// <summary>Every rule finds its example and not the safe way to do the same, in every language it is for.</summary>
    [Theory]
    [MemberData(nameof(Ids))]
    public void EveryRuleFindsItsExampleAndNotItsFix(string id)
    {
        CodeRule rule = CodeRules.BuiltIn.Single(r => r.Id == id);
        Assert.NotEmpty(rule.Languages);
        foreach (CodeLanguage language in rule.Languages)
        {
            Assert.Contains(CodeScanner.Default.Scan($"first\n{rule.Example}\nlast", language), f => f.Rule.Id == id && f.Line == 2);
            Assert.DoesNotContain(CodeScanner.Default.Scan(rule.Fixed, language), f => f.Rule.Id == id);
        }
    }

    [Fact]
    public void TheSafeWayHasNoOtherFindingEither()
    {
        foreach (CodeRule rule in CodeRules.BuiltIn)
        {
            Assert.All(rule.Languages, language => Assert.Empty(CodeScanner.Default.Scan(rule.Fixed, language)));
        }
    }

    [Fact]
    public void EveryLanguageHasRulesToWarnAndToBlock()
    {
        foreach (CodeLanguage language in Enum.GetValues<CodeLanguage>())
        {
            Assert.True(CodeRules.BuiltIn.Count(r => r.Languages.Contains(language) && r.Severity == CodeSeverity.Block) >= 2, $"{language}");
            Assert.True(CodeRules.BuiltIn.Count(r => r.Languages.Contains(language) && r.Severity == CodeSeverity.Warn) >= 3, $"{language}");
        }
    }

    [Theory]
    [InlineData("{}", "expected a JSON list of objects")]
    [InlineData("[1]", "expected a JSON list of objects")]
    [InlineData("[{\"id\":1}]", "rule 0: expected an id")]
    [InlineData("[{\"id\":\"a\"}]", "rule a: languages: expected a list, got none")]
    [InlineData("[{\"id\":\"a\",\"languages\":[\"cobol\"]}]", "rule a: languages: expected python, c, csharp, javascript, sql, shell, got \"cobol\"")]
    [InlineData("[{\"id\":\"a\",\"languages\":[\"c\"],\"cwe\":1,\"severity\":\"fatal\"}]", "rule a: severity: expected warn or block, got fatal")]
    [InlineData("[{\"id\":\"a\",\"languages\":[\"c\"],\"cwe\":1,\"severity\":\"warn\",\"title\":\"t\",\"advice\":\"a\",\"pattern\":\"(a)\\\\1\"}]", "rule a: pattern: expected a regular expression without looking around or back references")]
    [InlineData("[{\"id\":\"a\",\"languages\":[\"c\"],\"cwe\":1,\"severity\":\"warn\",\"title\":\"t\",\"advice\":\"a\",\"pattern\":\"a(?=b)\"}]", "rule a: pattern: expected a regular expression without looking around")]
    [InlineData("[{\"id\":\"a\",\"languages\":[\"c\"],\"cwe\":1,\"severity\":\"warn\",\"title\":\"t\",\"advice\":\"a\",\"pattern\":\"(\"}]", "rule a: pattern")]
    public void MalformedRulesAreRefused(string json, string message) =>
        Assert.Contains(message, Assert.Throws<FileFormatException>(() => CodeRules.Read(Encoding.UTF8.GetBytes(json), "rules.json")).Message, StringComparison.Ordinal);
}
