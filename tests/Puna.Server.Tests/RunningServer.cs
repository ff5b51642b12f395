using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Puna.Models.Adapters;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Server.Tests;

/// <summary>The embedded model, or another, behind a real socket.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly LanguageModel _model;
    private readonly CpuOps _ops = new(2);

    private RunningServer(
        PunaServerOptions options, EngineOptions engine, string model, IReadOnlyDictionary<string, string> adapters, Action<WebApplicationBuilder> configure)
    {
        _model = LanguageModel.Open(model);
        Engine = Engine.Start(_model, _ops, engine);
        Server = PunaServer.Create(options, new ServedModel(
            "puna-tiny", Engine, ["default"], adapters: adapters.ToDictionary(static a => a.Key, a => UnmergedAdapter.Open(a.Value, _model.Checkpoint, _ops))), configure);
    }

    public Engine Engine { get; }

    public PunaServer Server { get; }

    public HttpClient Http { get; private set; } = new();

    public static async Task<RunningServer> StartAsync(
        PunaServerOptions? options = null, EngineOptions? engine = null, string? model = null, IReadOnlyDictionary<string, string>? adapters = null, Action<WebApplicationBuilder>? configure = null)
    {
        var server = new RunningServer(
            (options ?? new PunaServerOptions()) with { Port = 0 }, engine ?? new EngineOptions(), model ?? TestFiles.EmbeddedModel, adapters ?? new Dictionary<string, string>(),
            configure ?? (static _ => { }));
        await server.Server.StartAsync(TestContext.Current.CancellationToken);
        server.Http = new HttpClient { BaseAddress = new Uri(server.Server.Address), Timeout = TimeSpan.FromMinutes(2) };
        return server;
    }

    public async Task<(HttpStatusCode Status, string Text)> PostAsync(string path, string body)
    {
        using HttpResponseMessage answer = await Http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public async Task<JsonObject> AskAsync(string path, string body)
    {
        (HttpStatusCode status, string text) = await PostAsync(path, body);
        Assert.True(status == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>The events of a stream: name and object. The last one of OpenAI's is <c>[DONE]</c>, without an object.</summary>
    public async Task<List<(string? Name, JsonObject? Data)>> StreamAsync(string path, string body)
    {
        (HttpStatusCode status, string text) = await PostAsync(path, body);
        Assert.True(status == HttpStatusCode.OK, text);
        var events = new List<(string?, JsonObject?)>();
        foreach (string block in text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string[] lines = block.Split('\n');
            string? name = lines.FirstOrDefault(static l => l.StartsWith("event: ", StringComparison.Ordinal))?[7..];
            string data = Assert.Single(lines, static l => l.StartsWith("data: ", StringComparison.Ordinal))[6..];
            events.Add((name, data == "[DONE]" ? null : JsonNode.Parse(data)!.AsObject()));
        }

        return events;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.StopAsync();
        await Server.DisposeAsync();
        await Engine.DisposeAsync();
        _ops.Dispose();
        _model.Dispose();
    }
}
