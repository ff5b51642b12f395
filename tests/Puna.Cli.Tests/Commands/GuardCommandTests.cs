using System.Text.Json;
using Puna.Hub.Tests;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

public class GuardCommandTests
{
    private static string PromptGuard => TestFiles.Fixture("goldens", "prompt-guard");

    [Fact]
    public void ScansTheCodeOfReplies()
    {
        using var folder = new TempFolder();
        string file = folder.File("replies.jsonl");
        File.WriteAllLines(file,
        [
            """{"text":"Use\n```c\ngets(line);\n```"}""",
            """{"prompt":"How do I copy?","response":"```c\nstrcpy(a, b);\n```"}""",
            """{"messages":[{"role":"user","content":"gets?"},{"role":"assistant","content":"Use `fgets`."}],"id":7}""",
        ]);
        CliRun run = CliRun.Of("guard", "--code", "--file", file);
        Assert.Equal((0, ""), (run.Code, run.Error));
        JsonElement[] lines = Lines(run);
        Assert.Equal(["block", "warn", "safe"], lines.Select(static l => l.GetProperty("verdict").GetString()));
        JsonElement finding = lines[0].GetProperty("findings")[0];
        Assert.Equal(("c-gets", "CWE-242", "c", 3), (finding.GetProperty("rule").GetString(), finding.GetProperty("cwe").GetString(), finding.GetProperty("language").GetString(), finding.GetProperty("line").GetInt32()));
        Assert.Equal(1, CliRun.Of("guard", "--code", "--file", file, "--fail").Code);
        Assert.Equal(0, CliRun.Of("guard", "--code", "--fail", "nothing").Code);
        Assert.Equal("block", Lines(CliRun.Of("guard", "--code", "eval(x)"))[0].GetProperty("verdict").GetString());
        Assert.Equal("block", Lines(CliRun.Of("guard", "--code", "--language", "python", "eval(x)"))[0].GetProperty("verdict").GetString());
    }

    [Fact]
    public void AsksAPromptGuard()
    {
        JsonElement line = Lines(CliRun.Of("guard", "--model", PromptGuard, "the sand and the wind"))[0];
        double score = line.GetProperty("score").GetDouble();
        Assert.Equal(score, line.GetProperty("probabilities").GetProperty("LABEL_1").GetDouble());
        Assert.Equal((score >= 0.5 ? "unsafe" : "safe", 1), (line.GetProperty("verdict").GetString(), line.GetProperty("windows").GetInt32()));
        Assert.Equal("unsafe", Lines(CliRun.Of("guard", "--model", PromptGuard, "--threshold", "0", "the sand"))[0].GetProperty("verdict").GetString());
        Assert.Equal("safe", Lines(CliRun.Of("guard", "--model", PromptGuard, "--threshold", "1", "--indirect", "the sand"))[0].GetProperty("verdict").GetString());

        // The golden's vocabulary has pieces the golden's embedding has no row for: such a text cannot be judged, and the next one can.
        using var folder = new TempFolder();
        File.WriteAllLines(folder.File("t.txt"), ["!!!", "the sand"]);
        CliRun run = CliRun.Of("guard", "--model", PromptGuard, "--file", folder.File("t.txt"), "--fail", "--threshold", "1");
        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains("expected 0 to 399", Lines(run)[0].GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("safe", Lines(run)[1].GetProperty("verdict").GetString());
    }

    [Fact]
    public void AsksALlamaGuard()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("c.json"), """[{"code":"S1","name":"Spitting"}]""");

        // A model of stories is none: its answer is no verdict.
        CliRun run = CliRun.Of("guard", "--model", TestFiles.TrainedTiny, "--categories", folder.File("c.json"), "Hi");
        Assert.Equal((0, ""), (run.Code, run.Error));
        JsonElement line = Lines(run)[0];
        Assert.Equal("malformed", line.GetProperty("verdict").GetString());
        Assert.InRange(line.GetProperty("score").GetDouble(), 0, 1);
        Assert.NotEqual("", line.GetProperty("output").GetString());

        // The whole list is longer than its context.
        Assert.Contains("expected fewer tokens than the context", Lines(CliRun.Of("guard", "--model", TestFiles.TrainedTiny, "--layout", "recipes", new string('a', 2000)))[0].GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void RefusesWhatItCannotDo()
    {
        using var folder = new TempFolder();
        CliRun.Of("guard", "x").AssertRefused("guard: expected --model with a Llama Guard or Prompt Guard, or --code, got neither");
        CliRun.Of("guard", "--code").AssertRefused("text: expected one of TEXT and --file, got none (see puna guard --help)");
        CliRun.Of("guard", "--code", "--model", "m", "x").AssertRefused("options --code and --model exclude each other");
        CliRun.Of("guard", "--code", "--indirect", "x").AssertRefused("option --indirect has no meaning with --code");
        CliRun.Of("guard", "--code", "--adapter", "a", "x").AssertRefused("option --adapter has no meaning with --code");
        CliRun.Of("guard", "--model", PromptGuard, "--adapter", "a", "x").AssertRefused("option --adapter has no meaning with a Prompt Guard");
        CliRun.Of("guard", "--model", PromptGuard, "--exclude", "S1", "x").AssertRefused("option --exclude has no meaning with a Prompt Guard");
        CliRun.Of("guard", "--model", "m", "--language", "c", "x").AssertRefused("option --language: expected --code with it, got none");
        CliRun.Of("guard", "--code", "--threshold", "2", "x").AssertRefused("option --threshold: expected a number from 0 to 1, got '2'");
        CliRun.Of("guard", "--model", TestFiles.TrainedTiny, "--exclude", "S1", "x").AssertRefused("excluded category S1: expected one of O1, O2, O3, O4, O5, O6");
        string file = folder.File("f.jsonl");
        foreach ((string line, string message) in new[]
        {
            ("{\"text\":\"a\"}\n[1]", "line 2: expected a JSON object with \"text\", \"prompt\" or \"messages\", got something else"),
            ("{", "line 1: expected a JSON object, got something else at byte 1"),
            ("{\"messages\":[{\"role\":\"judge\",\"content\":\"x\"}]}", "line 1: expected messages with a role (system, user, assistant or tool) and a content, got something else"),
        })
        {
            File.WriteAllText(file, line);
            CliRun.Of("guard", "--code", "--file", file).AssertRefused($"{message} ({file})");
        }
    }

    [Fact]
    public void StandsBeforeAndBehindAModel()
    {
        string[] run = ["run", "--model", TestFiles.TrainedTiny, "--temperature", "0", "--max-tokens", "5"];
        CliRun plain = CliRun.Of([.. run, "Once upon a time"]);
        Assert.Equal(plain, CliRun.Of([.. run, "--guard", "code", "Once upon a time"]));

        // A model that is no guard gives no verdict, and what has no verdict does not pass.
        CliRun refused = CliRun.Of([.. run, "--guard", "code", "--guard", PromptGuard, "--guard", TestFiles.TrainedTiny, "the sand"]);
        Assert.Equal((1, ""), (refused.Code, refused.Out));
        Assert.StartsWith("puna: prompt refused by the guard: ", refused.Error, StringComparison.Ordinal);

        // A chat with a guard that finds nothing is the same chat.
        CliRun chat = CliRun.With("Once upon a time\n", "chat", "--model", TestFiles.TrainedTiny, "--temperature", "0", "--max-tokens", "5", "--guard", "code");
        Assert.Equal(CliRun.With("Once upon a time\n", "chat", "--model", TestFiles.TrainedTiny, "--temperature", "0", "--max-tokens", "5"), chat);
    }

    [Fact]
    public void ShowsAPictureToALlamaGuardThatSees()
    {
        using var folder = new TempFolder();
        string unsafeModel = SeeingModels.WriteGuard(folder.File("model"), "unsafe\nS1"), random = SeeingModels.WriteGuard(folder.File("random"));
        string picture = TestFiles.Golden("images", "landscape.png"), file = folder.File("c.jsonl");
        JsonElement line = Lines(CliRun.Of("guard", "--model", unsafeModel, "--image", picture, "What is this?"))[0];
        Assert.Equal(("unsafe", "unsafe\nS1", "Violent Crimes"), (line.GetProperty("verdict").GetString(), line.GetProperty("output").GetString(), line.GetProperty("names")[0].GetString()));

        // It is seen: another picture or none gives another probability. With a file, it comes with the first message of every line.
        File.WriteAllLines(file, ["""{"text":"What is this?"}""", """{"prompt":"What is this?","response":"A llama."}"""]);
        JsonElement[] judged = Lines(CliRun.Of("guard", "--model", random, "--image", picture, "--file", file));
        double[] scores =
        [
            judged[0].GetProperty("score").GetDouble(), judged[1].GetProperty("score").GetDouble(),
            Score("--image", TestFiles.Golden("images", "tiny.png"), "What is this?"), Score("What is this?"), Score("--image", picture),
        ];
        Assert.Equal(scores[0], Score("--image", picture, "What is this?"));
        Assert.Equal(scores.Length, scores.Distinct().Count());

        CliRun.Of("guard", "--model", TestFiles.TrainedTiny, "--image", picture, "Hi").AssertRefused($"option --image: expected a model that sees, got {TestFiles.TrainedTiny}");
        CliRun.Of("guard", "--model", random, "--image", folder.File("none.png"), "Hi").AssertRefused($"file {folder.File("none.png")}: not found");
        CliRun.Of("guard", "--model", PromptGuard, "--image", picture, "Hi").AssertRefused("option --image has no meaning with a Prompt Guard");
        CliRun.Of("guard", "--code", "--image", picture, "Hi").AssertRefused("option --image has no meaning with --code");
        CliRun.Of("guard", "--model", random).AssertRefused("text: expected one of TEXT and --file, got none (see puna guard --help)");
        Assert.Contains("images: expected at most 1 for Llama Guard 3-11b-vision, got 2", Lines(CliRun.Of("guard", "--model", random, "--image", picture, "--image", picture, "Hi"))[0].GetProperty("error").GetString(), StringComparison.Ordinal);

        double Score(params string[] rest) => Lines(CliRun.Of(["guard", "--model", random, .. rest]))[0].GetProperty("score").GetDouble();
    }

    private static JsonElement[] Lines(CliRun run) => [.. run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];
}
