using System.Globalization;
using System.Text.Json;
using Puna.Safety.CodeScan;
using Puna.Safety.LlamaGuard;
using Puna.Tests.Shared;

namespace Puna.Safety.Tests;

/// <summary>Precision and recall on our own labelled texts (<c>tests/fixtures/safety</c>). docs/safety.md tells these numbers, and is held to them.</summary>
public sealed class LabelledSetTests(ITestOutputHelper output)
{
    [Fact]
    public void CodeScanner()
    {
        (int truePositives, int falsePositives, int falseNegatives, int all) = Count("code.jsonl", static line => Puna.Safety.CodeScan.CodeScanner.Default.ScanReply(line.GetProperty("text").GetString()!).Count > 0);
        Compare("scanner", truePositives, falsePositives, falseNegatives, all);
    }

    [Fact]
    public void Verdicts()
    {
        (int truePositives, int falsePositives, int falseNegatives, int all) = Count("verdicts.jsonl", static line =>
        {
            GuardVerdict verdict = GuardVerdict.Parse(line.GetProperty("output").GetString()!);
            Assert.Equal(line.GetProperty("state").GetString(), verdict.State.ToString().ToLowerInvariant());
            return !verdict.IsAllowed;
        });
        Compare("verdicts", truePositives, falsePositives, falseNegatives, all);
    }

    private static (int TruePositives, int FalsePositives, int FalseNegatives, int All) Count(string file, Func<JsonElement, bool> isFlagged)
    {
        (int truePositives, int falsePositives, int falseNegatives, int all) = (0, 0, 0, 0);
        foreach (string line in File.ReadLines(TestFiles.Fixture("safety", file)))
        {
            using JsonDocument json = JsonDocument.Parse(line);
            bool isUnsafe = json.RootElement.GetProperty("unsafe").GetBoolean(), flagged = isFlagged(json.RootElement);
            truePositives += isUnsafe && flagged ? 1 : 0;
            falsePositives += !isUnsafe && flagged ? 1 : 0;
            falseNegatives += isUnsafe && !flagged ? 1 : 0;
            all++;
        }

        return (truePositives, falsePositives, falseNegatives, all);
    }

    private void Compare(string name, int truePositives, int falsePositives, int falseNegatives, int all)
    {
        double precision = (double)truePositives / (truePositives + falsePositives), recall = (double)truePositives / (truePositives + falseNegatives);
        string row = string.Create(CultureInfo.InvariantCulture, $"| {name} | {all} | {truePositives + falseNegatives} | {precision:F3} | {recall:F3} |");
        output.WriteLine(row);
        Assert.Contains(row, File.ReadAllText(Path.Combine(TestFiles.Root, "docs", "safety.md")), StringComparison.Ordinal);
    }
}
