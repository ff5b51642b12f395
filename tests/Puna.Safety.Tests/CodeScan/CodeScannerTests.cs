using System.Diagnostics;
using Puna.Runtime.Filtering;
using Puna.Safety.CodeScan;
using Puna.Text.Chat;
using Puna.Text.Tools;

namespace Puna.Safety.Tests.CodeScan;

public sealed class CodeScannerTests
{
    [Fact]
    public void FindingsSayWhereTheyAreInTheReply()
    {
        IReadOnlyList<CodeFinding> findings = CodeScanner.Default.ScanReply("Use this:\n\n```python\nimport os\n\nos.system('ping ' + host)  # eval(x)\n```\n\nand\n```c\n  gets(line);\n```\n");
        Assert.Equal(
            [("py-os-command", 6, CodeLanguage.Python, "os.system('ping ' + host)"), ("c-gets", 11, CodeLanguage.C, "gets(line);")],
            findings.Select(static f => (f.Rule.Id, f.Line, f.Language, f.Excerpt)));
        Assert.Equal(CodeSeverity.Block, CodeScanner.Worst(findings));
        Assert.Null(CodeScanner.Worst([]));
    }

    [Fact]
    public void ABlockWithoutATagIsReadInTheLanguageItSeemsToBe()
    {
        Assert.Equal("py-pickle", Assert.Single(CodeScanner.Default.ScanReply("```\nimport pickle\ndef f(x):\n    return pickle.loads(x)\n```")).Rule.Id);
        Assert.Equal("c-gets", Assert.Single(CodeScanner.Default.ScanReply("```\n#include <stdio.h>\nint main(void) { char a[9]; gets(a); }\n```")).Rule.Id);
        Assert.Empty(CodeScanner.Default.ScanReply("```json\n{\"eval\": 1}\n```"));
        Assert.Empty(CodeScanner.Default.ScanReply("eval(x) in a sentence"));

        // Nothing says which language this is, so all rules are tried, and one finding is not told twice.
        Assert.Contains(CodeScanner.Default.ScanReply("```\neval(x)\n```"), static f => f.Rule.Id == "py-eval");
        IReadOnlyList<CodeFinding> any = CodeScanner.Default.ScanUnknown("eval(x)");
        Assert.Contains(any, static f => f.Rule.Id == "py-eval");
        Assert.Equal(any.Count, any.DistinctBy(static f => (f.Line, f.Rule.Id)).Count());
    }

    [Fact]
    public void ARuleSaysOnceWhatIsWrongWithALine()
    {
        Assert.Single(CodeScanner.Default.Scan("gets(a); gets(b);", CodeLanguage.C));
        Assert.Equal(20, CodeScanner.Default.Scan(string.Concat(Enumerable.Repeat("gets(a);\n", 500)), CodeLanguage.C).Count);
    }

    /// <summary>
    /// Texts that make backtracking expressions hang. Each has 200,000 characters; a scan takes a few milliseconds per rule, and the bound leaves room for a loaded machine. A quadratic expression would need minutes.
    /// </summary>
    [Theory]
    [InlineData("(")]
    [InlineData("subprocess.run(")]
    [InlineData("SELECT a FROM ")]
    [InlineData("\"SELECT a FROM b WHERE \"")]
    [InlineData("password = 'aaaaaaa")]
    [InlineData("execute(f'")]
    [InlineData("rm -rf -r ")]
    [InlineData("' \" ` /* ")]
    [InlineData("token = ")]
    [InlineData("`SELECT ${")]
    [InlineData("gets(\n")]
    [InlineData("a")]
    public void HostileCodeCannotHangIt(string part)
    {
        string code = string.Concat(Enumerable.Repeat(part, 200_000 / part.Length));
        var clock = Stopwatch.StartNew();
        foreach (CodeLanguage language in Enum.GetValues<CodeLanguage>())
        {
            CodeScanner.Default.Scan(code, language);
        }

        CodeScanner.Default.ScanReply(code);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 30);
    }

    [Fact]
    public void AFilterStopsRepliesAlone()
    {
        const string Reply = "```c\ngets(a);\n```";
        ContentVerdict Check(ChatRole role, string text, CodeSeverity from = CodeSeverity.Block) => new CodeScanFilter(CodeScanner.Default, from).Check([new ChatMessage(role, text)], TestContext.Current.CancellationToken);
        ContentVerdict verdict = Check(ChatRole.Assistant, Reply);
        Assert.Equal((false, "insecure code: Reads a line of any length into a buffer in line 2", "CWE-242"), (verdict.IsAllowed, verdict.Reason, verdict.Categories[0]));
        Assert.True(Check(ChatRole.User, Reply).IsAllowed);
        Assert.True(Check(ChatRole.Assistant, "```c\nstrcpy(a, b);\n```").IsAllowed);
        Assert.False(Check(ChatRole.Assistant, "```c\nstrcpy(a, b);\n```", CodeSeverity.Warn).IsAllowed);
    }

    /// <summary>What is to be run is stopped like what is to be read: arguments are texts in JSON, wherever they are in it, and a call that was cut short is looked at as far as it goes.</summary>
    [Theory]
    [InlineData("""{"code":"import os\nos.system(\"ping \" + host)"}""", false)]
    [InlineData("""{"files":[{"name":"a.py","content":"import os\nos.system('ping ' + host)"}]}""", false)]
    [InlineData("""{"code":"import os\nos.system('ping ' + host""", false)]
    [InlineData("""{"code":"print(1 + 2)","lines":3,"none":null}""", true)]
    public void AFilterStopsCodeInCallsOfTools(string arguments, bool isAllowed)
    {
        var reply = new ChatMessage(ChatRole.Assistant, "") { ToolCalls = [new ToolCall("code_interpreter", arguments)] };
        Assert.Equal(isAllowed, new CodeScanFilter(CodeScanner.Default).Check([reply], TestContext.Current.CancellationToken).IsAllowed);
    }
}
