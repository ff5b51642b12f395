using System.Net;
using System.Text.Json.Nodes;
using Puna.Tests.Shared;

namespace Puna.Server.Tests;

/// <summary>Adapters are models of their own to those who ask, in every API, and requests for them run together.</summary>
public sealed class AdapterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-adapter-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task ARequestThatNamesAnAdapterRunsWithIt()
    {
        await using RunningServer server = await StartAsync();
        (string Path, string Body, Func<JsonObject, string> Said)[] asked =
        [
            ("/v1/chat/completions", """{"model":"NAME","messages":[{"role":"user","content":"Hello"}],"max_tokens":12,"temperature":0}""", static a => (string)a["choices"]![0]!["message"]!["content"]!),
            ("/v1/completions", """{"model":"NAME","prompt":"Once upon a time","max_tokens":12,"temperature":0}""", static a => (string)a["choices"]![0]!["text"]!),
            ("/v1/responses", """{"model":"NAME","input":"Hello","max_output_tokens":12,"temperature":0}""", static a => (string)a["output"]![0]!["content"]![0]!["text"]!),
            ("/v1/messages", """{"model":"NAME","messages":[{"role":"user","content":"Hello"}],"max_tokens":12,"temperature":0}""", static a => (string)a["content"]![0]!["text"]!),
            ("/api/chat", """{"model":"NAME","messages":[{"role":"user","content":"Hello"}],"stream":false,"options":{"num_predict":12,"temperature":0}}""", static a => (string)a["message"]!["content"]!),
            ("/api/generate", """{"model":"NAME","prompt":"Once upon a time","raw":true,"stream":false,"options":{"num_predict":12,"temperature":0}}""", static a => (string)a["response"]!),
            ("/v1/embeddings", """{"model":"NAME","input":"Hello"}""", static a => a["data"]![0]!["embedding"]!.ToJsonString()),
            ("/api/embed", """{"model":"NAME","input":"Hello"}""", static a => a["embeddings"]![0]!.ToJsonString()),
        ];
        var answers = new Dictionary<(string, string), string>();
        foreach (string name in (string[])["puna-tiny", "one", "two"])
        {
            JsonObject[] all = await Task.WhenAll(asked.Select(a => server.AskAsync(a.Path, a.Body.Replace("NAME", name, StringComparison.Ordinal))));
            for (int i = 0; i < all.Length; i++)
            {
                answers[(asked[i].Path, name)] = asked[i].Said(all[i]);
                Assert.Equal(name, (string?)all[i]["model"]);
            }
        }

        foreach ((string path, _, _) in asked)
        {
            Assert.Equal(3, answers.Where(a => a.Key.Item1 == path).Select(static a => a.Value).Distinct().Count());
        }

        // The same questions in the same three ways: an answer depends on its adapter alone, whichever API it is asked through.
        Assert.Equal(answers[("/v1/chat/completions", "one")], answers[("/v1/messages", "one")]);
        Assert.Equal(answers[("/v1/completions", "two")], answers[("/api/generate", "two")]);
    }

    [Fact]
    public async Task AdaptersAreListedWithTheModelTheyStandBeside()
    {
        await using RunningServer server = await StartAsync();
        JsonArray models = JsonNode.Parse(await server.Http.GetStringAsync("/v1/models", TestContext.Current.CancellationToken))!["data"]!.AsArray();
        Assert.Equal(
            [("puna-tiny", "puna-tiny", null), ("default", "puna-tiny", null), ("one", "one", "puna-tiny"), ("two", "two", "puna-tiny")],
            models.Select(static m => ((string)m!["id"]!, (string)m["root"]!, (string?)m["parent"])));
        Assert.Equal("puna-tiny", (string)JsonNode.Parse(await server.Http.GetStringAsync("/v1/models/two", TestContext.Current.CancellationToken))!["parent"]!);
        JsonArray tags = JsonNode.Parse(await server.Http.GetStringAsync("/api/tags", TestContext.Current.CancellationToken))!["models"]!.AsArray();
        Assert.Equal(["", "", "puna-tiny", "puna-tiny"], tags.Select(static t => (string)t!["details"]!["parent_model"]!));
        Assert.Equal(HttpStatusCode.NotFound, (await server.PostAsync("/v1/completions", """{"model":"three","prompt":"x"}""")).Status);
    }

    [Fact]
    public async Task AnAdapterNeedsANameOfItsOwn()
    {
        string path = AdapterFiles.Write(Path.Combine(_folder, "x"), AdapterFiles.EmbeddedModel, 1);
        await Assert.ThrowsAsync<Tensors.PunaException>(() => RunningServer.StartAsync(adapters: new Dictionary<string, string> { ["default"] = path }));
    }

    private Task<RunningServer> StartAsync() => RunningServer.StartAsync(adapters: new Dictionary<string, string>
    {
        ["one"] = AdapterFiles.Write(Path.Combine(_folder, "one"), AdapterFiles.EmbeddedModel, 1),
        ["two"] = AdapterFiles.Write(Path.Combine(_folder, "two"), AdapterFiles.EmbeddedModel, 2, isDora: true),
    });
}
