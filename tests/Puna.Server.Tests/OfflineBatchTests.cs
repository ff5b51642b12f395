using System.Text;
using System.Text.Json.Nodes;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Server.Batches;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Server.Tests;

/// <summary>Batches of the embedded model, compared with what the same bodies get over HTTP.</summary>
public sealed class OfflineBatchTests : IDisposable
{
    private const string Chat = """{"model":"default","messages":[{"role":"user","content":"Hello NAME"}],"max_tokens":8,"temperature":1,"seed":NUMBER}""";
    private const string Text = """{"model":"default","prompt":"The llama NAME","max_tokens":8,"temperature":0,"logprobs":2}""";
    private const string Embedding = """{"model":"default","input":["llama NAME","salt"]}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("puna-batch-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task LinesGetWhatTheyGetOverHttp()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string[] lines = Lines(9);
        Dictionary<string, JsonObject> answers = ById(await RunAsync(server.Engine, lines, 4));
        Assert.Equal(9, answers.Count);
        foreach (string line in lines)
        {
            JsonObject request = JsonNode.Parse(line)!.AsObject();
            JsonObject over = await server.AskAsync((string)request["url"]!, request["body"]!.ToJsonString());
            JsonObject answer = answers[(string)request["custom_id"]!];
            Assert.StartsWith("batch_req_", (string)answer["id"]!, StringComparison.Ordinal);
            Assert.Null(answer["error"]);
            Assert.Equal(200, (int)answer["response"]!["status_code"]!);
            Assert.StartsWith("req_", (string)answer["response"]!["request_id"]!, StringComparison.Ordinal);
            Assert.Equal(Stable(over), Stable(answer["response"]!["body"]!.AsObject()));
        }
    }

    [Fact]
    public async Task WhatIsUnderWayChangesNoAnswer()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.EmbeddedModel);
        using var ops = new CpuOps(2);
        await using Engine engine = Engine.Start(model, ops);
        string[] lines = Lines(24);
        Dictionary<string, JsonObject> alone = ById(await RunAsync(engine, lines, 1)), among = ById(await RunAsync(engine, lines, 24));
        foreach ((string id, JsonObject answer) in alone)
        {
            Assert.Equal(Stable(answer["response"]!["body"]!.AsObject()), Stable(among[id]["response"]!["body"]!.AsObject()));
        }
    }

    [Fact]
    public async Task LinesThatAreWrongGetErrorsAndStopNothing()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.EmbeddedModel);
        using var ops = new CpuOps(2);
        await using Engine engine = Engine.Start(model, ops);
        string good = Line("good", "/v1/completions", Text);
        string[] lines =
        [
            "\uFEFF" + good, "no json", "", "[1]", """{"method":"POST"}""", """{"custom_id":7}""", """{"custom_id":"m","method":"GET","url":"/v1/completions","body":{}}""",
            """{"custom_id":"u","method":"POST","url":"/v1/files","body":{}}""", """{"custom_id":"b","method":"POST","url":"/v1/completions"}""",
            """{"custom_id":"s","method":"POST","url":"/v1/completions","body":{"stream":true}}""", """{"custom_id":"\ud800","method":"POST"}""",
            """{"custom_id":"model","method":"POST","url":"/v1/completions","body":{"model":"other","prompt":"x"}}""",
            """{"custom_id":"bad","method":"POST","url":"/v1/embeddings","body":{"model":"default"}}""",
            """{"custom_id":"long","method":"POST","url":"/v1/completions","body":{"model":"default","prompt":"x","max_tokens":1000000}}""",
            """{"custom_id":"big","pad":"PAD"}""".Replace("PAD", new string('x', 5000), StringComparison.Ordinal), "{\"custom_id\":\"" + new string('[', 200) + "\"",
        ];
        JsonObject[] answers = await RunAsync(engine, lines, 8);
        Assert.Equal(15, answers.Length);
        Dictionary<long, JsonObject> byLine = answers.Where(static a => a["error"] is not null).ToDictionary(static a => (long)a["error"]!["line"]!);
        Error(2, null, "invalid_json", "line: expected JSON");
        Error(4, null, "invalid_json", "line: expected a JSON object, got an array");
        Error(5, null, "missing_required_parameter", "custom_id: expected a value, got none");
        Error(6, null, "invalid_value", "custom_id: expected a string, got 7");
        Error(7, "m", "invalid_value", "method: expected POST, got GET");
        Error(8, "u", "invalid_url", "url: expected one of /v1/chat/completions");
        Error(9, "b", "missing_required_parameter", "body: expected a value, got none");
        Error(10, "s", "unsupported_parameter", "body.stream: expected false");
        Error(11, null, "invalid_value", "custom_id: expected well-formed Unicode");
        Error(15, null, "request_too_large", "line: expected at most 4096 bytes");
        Error(16, null, "invalid_json", "line: expected JSON");
        Assert.Equal(11, byLine.Count);
        Dictionary<string, JsonObject> byId = ById(answers.Where(static a => a["error"] is null));
        Assert.Equal(404, (int)byId["model"]["response"]!["status_code"]!);
        Assert.Equal("model_not_found", (string)byId["model"]["response"]!["body"]!["error"]!["code"]!);
        Assert.Equal(400, (int)byId["bad"]["response"]!["status_code"]!);
        Assert.Equal("context_length_exceeded", (string)byId["long"]["response"]!["body"]!["error"]!["code"]!);
        Assert.Equal(200, (int)byId["good"]["response"]!["status_code"]!);

        void Error(long line, string? id, string code, string message)
        {
            JsonObject answer = byLine[line];
            Assert.Equal(id, (string?)answer["custom_id"]);
            Assert.Null(answer["response"]);
            Assert.Equal(code, (string)answer["error"]!["code"]!);
            Assert.StartsWith(message, (string)answer["error"]!["message"]!, StringComparison.Ordinal);
        }
    }

    /// <summary>The output is cut where a killed process may have left it: at the end of a line, and anywhere within the next.</summary>
    [Fact]
    public async Task ARunThatWasBrokenOffGoesOn()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.EmbeddedModel);
        using var ops = new CpuOps(2);
        await using Engine engine = Engine.Start(model, ops);
        string[] lines = [.. Lines(5), "no json"];
        string output = Path.Combine(_folder, "whole.jsonl");
        await RunAsync(engine, lines, 4, output);
        byte[] whole = await File.ReadAllBytesAsync(output, TestContext.Current.CancellationToken);
        var results = ById(Read(output).Where(static a => a["custom_id"] is not null)).ToDictionary(static a => a.Key, static a => Stable(a.Value["response"]!["body"]!.AsObject()));
        int[] ends = [.. whole.Select(static (b, i) => (b, i)).Where(static x => x.b == '\n').Select(static x => x.i + 1)];
        foreach (int cut in (int[])[0, 1, ends[0] - 1, ends[0], ends[0] + 1, ends[0] + 40, ends[2] - 1, ends[2], ends[4] + 5, whole.Length - 1, whole.Length])
        {
            string path = Path.Combine(_folder, $"cut{cut}.jsonl");
            await File.WriteAllBytesAsync(path, whole[..cut], TestContext.Current.CancellationToken);
            long steps = engine.Statistics().Steps;
            await RunAsync(engine, lines, 4, path);
            Assert.True(cut < whole.Length || engine.Statistics().Steps == steps, "a batch that was done was computed again");
            Assert.Equal(whole[..ends.LastOrDefault(e => e <= cut)], (await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken))[..ends.LastOrDefault(e => e <= cut)]);
            JsonObject[] answers = Read(path);
            Assert.Equal(6, answers.Length);
            Assert.Single(answers, static a => a["error"] is not null);
            foreach ((string id, JsonObject answer) in ById(answers.Where(static a => a["custom_id"] is not null)))
            {
                Assert.Equal(results[id], Stable(answer["response"]!["body"]!.AsObject()));
            }
        }
    }

    [Fact]
    public void WhatCannotBeRightIsRefusedBeforeAnythingIsDone()
    {
        string good = Line("a", "/v1/completions", Text), output = Path.Combine(_folder, "out.jsonl");
        Refused([good, Line("b", "/v1/completions", Text), good], null, "line 3: expected a custom_id of its own, got a again (in)");
        const string Answer = """{"id":"batch_req_1","custom_id":"ID","response":null,"error":{"line":1}}""";
        Refused([good], Answer.Replace("ID", "c", StringComparison.Ordinal) + "\n", $"output {output}: expected answers to lines of in, got 1 to others");
        Refused([good], Answer.Replace("\"ID\"", "null", StringComparison.Ordinal) + "\n", $"output {output}: expected answers to lines of in, got 1 to others");
        Refused([good], Answer.Replace("ID", "a", StringComparison.Ordinal) + "\n" + Answer.Replace("ID", "a", StringComparison.Ordinal) + "\n", $"line 2: expected one answer to each line of the input, got another to the same ({output})");
        Refused([good], "dear diary", $"line 1: expected an answer of a batch, got something else ({output})");
        Refused([good], "dear diary\n", $"line 1: expected an answer of a batch, got something else ({output})");
        Refused([good], "[]\n", $"line 1: expected an answer of a batch, got something else ({output})");

        using BatchJournal held = BatchJournal.Open(output + "2");
        Assert.Contains("cannot be opened", Assert.Throws<PunaException>(() => BatchJournal.Open(output + "2")).Message, StringComparison.Ordinal);

        void Refused(string[] lines, string? before, string message)
        {
            File.Delete(output);
            if (before is not null)
            {
                File.WriteAllText(output, before);
            }

            PunaException error = Assert.ThrowsAny<PunaException>(() =>
            {
                using BatchJournal journal = BatchJournal.Open(output);
                OfflineBatch.Open(new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', lines))), "in", journal, cancel: TestContext.Current.CancellationToken);
            });
            Assert.Equal(message, error.Message);
            Assert.Equal(before ?? "", File.ReadAllText(output));
        }
    }

    [Fact]
    public async Task GivingUpKeepsWhatIsDone()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.EmbeddedModel);
        using var ops = new CpuOps(2);
        await using Engine engine = Engine.Start(model, ops);
        string output = Path.Combine(_folder, "out.jsonl");
        using var cancel = new CancellationTokenSource();
        using (BatchJournal journal = BatchJournal.Open(output))
        {
            OfflineBatch batch = OfflineBatch.Open(new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', Lines(30)))), "in", journal, new BatchOptions { InFlight = 3 }, TestContext.Current.CancellationToken);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => batch.RunAsync(new ServedModel("puna-tiny", engine, ["default"]), now =>
            {
                if (now.Done == 7)
                {
                    cancel.Cancel();
                }
            }, cancel.Token));
        }

        Assert.Equal(7, Read(output).Length);
        await RunAsync(engine, Lines(30), 8, output);
        Assert.Equal(30, ById(Read(output)).Count);
        Assert.Equal(0, engine.Statistics().Running);
    }

    [Fact]
    public async Task AnEngineThatEndsStopsTheRun()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.EmbeddedModel);
        using var ops = new CpuOps(2);
        Engine engine = Engine.Start(model, ops);
        await engine.DisposeAsync();
        string output = Path.Combine(_folder, "out.jsonl");
        await Assert.ThrowsAsync<EngineFaultException>(() => RunAsync(engine, Lines(3), 2, output));
        Assert.Equal("", await File.ReadAllTextAsync(output, TestContext.Current.CancellationToken));
    }

    private static string[] Lines(int count) => [.. Enumerable.Range(0, count).Select(static i => (i % 3) switch
    {
        0 => Line($"chat {i}", "/v1/chat/completions", Chat),
        1 => Line($"text {i}", "/v1/completions", Text),
        _ => Line($"vector {i}", "/v1/embeddings", Embedding),
    })];

    private static string Line(string id, string url, string body) =>
        $$"""{"custom_id":"{{id}}","method":"POST","url":"{{url}}","body":{{body.Replace("NAME", id, StringComparison.Ordinal).Replace("NUMBER", $"{id.Length}", StringComparison.Ordinal)}}}""";

    private static JsonObject[] Read(string path)
    {
        string text = File.ReadAllText(path);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static l => JsonNode.Parse(l)!.AsObject())];
    }

    private static Dictionary<string, JsonObject> ById(IEnumerable<JsonObject> answers) => answers.ToDictionary(static a => (string)a["custom_id"]!);

    /// <summary>An answer without what differs from time to time: its number, its date, and what the prefix cache knew.</summary>
    private static string Stable(JsonObject body)
    {
        JsonObject copy = body.DeepClone().AsObject();
        copy.Remove("id");
        copy.Remove("created");
        (copy["usage"] as JsonObject)?.Remove("prompt_tokens_details");
        return copy.ToJsonString();
    }

    private async Task<JsonObject[]> RunAsync(Engine engine, string[] lines, int inFlight, string? output = null)
    {
        string path = output ?? Path.Combine(_folder, Path.GetRandomFileName());
        using (BatchJournal journal = BatchJournal.Open(path))
        {
            var options = new BatchOptions { InFlight = inFlight, MaxLineBytes = 4096 };
            OfflineBatch batch = OfflineBatch.Open(new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', lines))), "in", journal, options, TestContext.Current.CancellationToken);
            BatchProgress done = await batch.RunAsync(new ServedModel("puna-tiny", engine, ["default"]), null, TestContext.Current.CancellationToken);
            Assert.Equal((done.Requests, 0), (done.Done, batch.Missing));
        }

        return Read(path);
    }
}
