using System.Diagnostics;
using System.Text.Json.Nodes;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

public sealed class BatchCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-batch-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void AnswersAFileAndGoesOnWhereItWasBrokenOff()
    {
        (string input, string output) = (Write("in.jsonl", [.. Lines(6, 4), "wrong"]), Path.Combine(_folder, "out.jsonl"));
        Assert.Equal(new CliRun(0, "7 requests: 6 answered, 1 with an error\n", ""), CliRun.Of("batch", "--input", input, "--output", output));
        Assert.Equal(7, File.ReadAllLines(output).Length);
        Assert.Equal(new CliRun(0, "7 requests: 0 answered, 0 with an error, 7 were answered before\n", ""), CliRun.Of("batch", "--input", input, "--output", output));
        File.WriteAllText(output, File.ReadAllText(output)[..^20]);
        Assert.EndsWith(", 6 were answered before\n", CliRun.Of("batch", "--input", input, "--output", output).Out, StringComparison.Ordinal);
        Assert.Equal(7, File.ReadAllLines(output).Length);
    }

    [Fact]
    public void AdaptersAnswerToTheirNames()
    {
        string one = AdapterFiles.Write(Path.Combine(_folder, "one=1"), AdapterFiles.EmbeddedModel, 1), two = AdapterFiles.Write(Path.Combine(_folder, "two"), AdapterFiles.EmbeddedModel, 2);
        string input = Write("in.jsonl", [.. ((string[])["default", "one", "a:b/2"]).Select(static n =>
            $$$"""{"custom_id":"{{{n}}}","method":"POST","url":"/v1/completions","body":{"model":"{{{n}}}","prompt":"Once","max_tokens":20,"temperature":0}}""")]);
        Dictionary<string, string> named = Texts("--adapter", "one=" + one, "--adapter", "a:b/2=" + two);
        Assert.Equal(3, named.Values.Distinct().Count());

        // Without a name it is added to the weights for all, and there is no model of that name.
        Dictionary<string, string> added = Texts("--adapter", one);
        Assert.Equal(["default"], added.Keys);
        Assert.NotEqual(named["default"], added["default"]);
        CliRun.Of("batch", "--input", input, "--output", input + "x", "--adapter", "a=" + one, "--adapter", "a=" + two).AssertRefused("option --adapter: expected different names, got 'a' twice");
        CliRun.Of("batch", "--input", input, "--output", input + "x", "--adapter", one, "--adapter", two).AssertRefused("option --adapter: expected at most one adapter without a name, got 2");
        CliRun.Of("batch", "--input", input, "--output", input + "x", "--adapter", "default=" + one).AssertRefused("adapter default: expected a name of its own, got one of the model's");

        Dictionary<string, string> Texts(params string[] adapters)
        {
            string output = Path.Combine(_folder, Path.GetRandomFileName());
            Assert.Equal(0, CliRun.Of(["batch", "--input", input, "--output", output, .. adapters]).Code);
            return File.ReadAllLines(output).Select(static l => JsonNode.Parse(l)!).Where(static a => (int)a["response"]!["status_code"]! == 200)
                .ToDictionary(static a => (string)a["custom_id"]!, static a => (string)a["response"]!["body"]!["choices"]![0]!["text"]!);
        }
    }

    [Fact]
    public void StandardStreamsWorkToo()
    {
        PunaProcess run = PunaProcess.Run(["batch", "--input", "-", "--output", "-"], string.Join('\n', Lines(3, 4)), null);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(["id 0", "id 1", "id 2"], run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static l => (string)JsonNode.Parse(l)!["custom_id"]!).Order());
    }

    [Fact]
    public void WhatCannotBeDoneIsRefused()
    {
        string input = Write("in.jsonl", Lines(1, 1));
        CliRun.Of("batch", "--input", input, "--output", input).AssertRefused("options --input and --output: expected two files, got one");
        CliRun.Of("batch", "--input", _folder, "--output", input + "2").AssertRefused($"file {_folder}: expected a file, got a folder");
        CliRun.Of("batch", "--input", input + "3", "--output", input + "2").AssertRefused($"file {input}3: not found");
        CliRun.Of("batch", "--input", input, "--output", _folder).AssertRefused($"output {_folder}: expected a file, got a folder");
        CliRun.Of("batch", "--input", Write("twice.jsonl", [.. Lines(1, 1), .. Lines(1, 1)]), "--output", input + "2")
            .AssertRefused($"line 2: expected a custom_id of its own, got id 0 again ({Path.Combine(_folder, "twice.jsonl")})");
    }

    /// <summary>A killed process and an interrupted one leave whole lines; both are gone on with until everything is there once.</summary>
    [Fact]
    public void AKilledRunGoesOn()
    {
        const int Requests = 60;
        (string input, string output) = (Write("in.jsonl", Lines(Requests, 40)), Path.Combine(_folder, "out.jsonl"));
        string[] args = ["batch", "--input", input, "--output", output];
        int before = 0;
        foreach (bool kill in (bool[])[true, false])
        {
            using Process process = PunaProcess.Start(args);
            long started = Environment.TickCount64, length = Length();
            while (!process.HasExited && Length() < length + 2000 && Environment.TickCount64 - started < 60_000)
            {
                Thread.Sleep(5);
            }

            if (kill || OperatingSystem.IsWindows())
            {
                process.Kill();
                process.WaitForExit();
            }
            else
            {
                using Process signal = Process.Start("kill", ["-INT", $"{process.Id}"]);
                process.WaitForExit();
                Assert.Equal(130, process.ExitCode);
                Assert.Equal("puna: interrupted\n", process.StandardError.ReadToEnd());
            }

            int after = Count();
            Assert.InRange(after, before + 1, Requests - 1);
            before = after;
        }

        PunaProcess run = PunaProcess.Run(args);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal($"{Requests} requests: {Requests - before} answered, 0 with an error, {before} were answered before\n", run.Out);
        Assert.Equal(Requests, File.ReadAllLines(output).Select(static l => (string)JsonNode.Parse(l)!["custom_id"]!).Distinct().Count());

        // The file is locked while it is written, but its length can be seen.
        long Length() => File.Exists(output) ? new FileInfo(output).Length : 0;

        int Count() => File.ReadAllBytes(output).Count(static b => b == '\n');
    }

    private static string[] Lines(int count, int tokens) => [.. Enumerable.Range(0, count).Select(i =>
        $$$"""{"custom_id":"id {{{i}}}","method":"POST","url":"/v1/completions","body":{"model":"default","prompt":"Once","max_tokens":{{{tokens}}},"seed":{{{i}}},"ignore_eos":true}}""")];

    private string Write(string name, string[] lines)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllLines(path, lines);
        return path;
    }
}
