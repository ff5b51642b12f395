using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Server.Tests;

/// <summary>The APIs in an application of somebody else's.</summary>
public sealed class EndpointTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EndpointsBringTheirKeysAndErrorsAndLeaveOthersAlone()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.EmbeddedModel);
        using var ops = new CpuOps(1);
        await using Engine engine = Engine.Start(model, ops);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddPunaServer(new ServedModel("tiny", engine), new PunaServerOptions { ApiKeys = ["secret"] });
        await using WebApplication app = builder.Build();
        app.MapGet("/own", static () => "mine");
        app.MapOpenAI("/a");
        app.MapAnthropic("/b");
        app.MapOllama("/c");
        app.MapLlamaHealth("/d");
        app.MapLlamaMetrics("/e");
        await app.StartAsync(Cancel);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };

        // Not ours: no key, and no body where there is nothing.
        Assert.Equal("mine", await http.GetStringAsync("/own", Cancel));
        Assert.Equal("", await (await http.GetAsync("/none", Cancel)).Content.ReadAsStringAsync(Cancel));
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/d/health", Cancel)).StatusCode);

        // Ours, in three shapes.
        JsonNode Parse(string text) => JsonNode.Parse(text)!;
        async Task<string> Post(string path, HttpStatusCode expected, string body = "{}")
        {
            using HttpResponseMessage answer = await http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Cancel);
            Assert.Equal(expected, answer.StatusCode);
            return await answer.Content.ReadAsStringAsync(Cancel);
        }

        Assert.Equal("invalid_api_key", Parse(await Post("/a/v1/chat/completions", HttpStatusCode.Unauthorized))["error"]!["code"]!.GetValue<string>());
        Assert.Equal("authentication_error", Parse(await Post("/b/v1/messages", HttpStatusCode.Unauthorized))["error"]!["type"]!.GetValue<string>());
        Assert.StartsWith("key:", Parse(await Post("/c/api/chat", HttpStatusCode.Unauthorized))["error"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/e/metrics", Cancel)).StatusCode);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
        JsonNode answer = Parse(await Post("/a/v1/chat/completions", HttpStatusCode.OK, """{"model":"tiny","messages":[{"role":"user","content":"Hello"}],"max_tokens":3}"""));
        Assert.Equal(3, answer["usage"]!["completion_tokens"]!.GetValue<int>());
        Assert.Contains("vllm:generation_tokens_total", await http.GetStringAsync("/e/metrics", Cancel), StringComparison.Ordinal);
        await app.StopAsync(Cancel);
        Assert.True(engine.IsDraining);
    }

    [Fact]
    public async Task AKeyDoesNotSeeWhatAnotherAsked()
    {
        await using RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { ApiKeys = ["first", "second"] });
        async Task<int> Cached(string key)
        {
            server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            JsonObject answer = await server.AskAsync("/v1/completions", $$"""{"model":"default","prompt":[{{string.Join(',', Enumerable.Range(300, 100))}}],"max_tokens":1}""");
            return answer["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>();
        }

        // 100 tokens are three full blocks of 32 and a rest.
        int[] cached = [await Cached("first"), await Cached("first"), await Cached("second"), await Cached("second")];
        Assert.Equal([0, 96, 0, 96], cached);
    }

    [Fact]
    public async Task EveryEndpointButTheOpenOnesNeedsTheKey()
    {
        await using RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { ApiKeys = ["secret"] });
        Assert.NotEmpty(server.Server.Endpoints);
        foreach ((string method, string path) in server.Server.Endpoints)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            using HttpResponseMessage answer = await server.Http.SendAsync(request, Cancel);
            bool isOpen = path is "/" or "/app.js" or "/style.css" || path.StartsWith("/health", StringComparison.Ordinal);
            Assert.True(isOpen == (answer.StatusCode != HttpStatusCode.Unauthorized), $"{method} {path}: {answer.StatusCode}");
        }
    }
}
