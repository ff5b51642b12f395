using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Puna.Runtime.Constraints;
using Puna.Runtime.Serving;
using Puna.Tensors;

namespace Puna.Server.Tests;

/// <summary>Pages of other sites, kinds of bodies, and what is said when the engine fails.</summary>
public sealed class AccessTests
{
    private const string Text = """{"model":"default","prompt":"x","max_tokens":1}""";
    private const string Talk = """{"model":"default","messages":[{"role":"user","content":"x"}],"max_tokens":1}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task APageOfAnotherSiteCannotDriveAServerWithoutAKey()
    {
        await using RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { AllowedOrigins = ["https://chat.example"] });
        string own = server.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);
        foreach ((string origin, HttpStatusCode expected) in ((string, HttpStatusCode)[])[
            (own, HttpStatusCode.OK), (own.Replace("http:", "https:", StringComparison.Ordinal), HttpStatusCode.OK), ("https://chat.example", HttpStatusCode.OK), ("HTTPS://chat.example", HttpStatusCode.OK),
            ("https://evil.example", HttpStatusCode.Forbidden), ("http://127.0.0.1:1", HttpStatusCode.Forbidden), ("http://127.0.0.1", HttpStatusCode.Forbidden), ("null", HttpStatusCode.Forbidden),
            ("https://chat.example.evil", HttpStatusCode.Forbidden), ("file://", HttpStatusCode.Forbidden)])
        {
            Assert.Equal((origin, expected), (origin, (await Send(server, HttpMethod.Post, "/v1/completions", Text, "application/json", origin)).Status));
        }

        // Reading is no harm: a page may not see the answer.
        Assert.Equal(HttpStatusCode.OK, (await Send(server, HttpMethod.Get, "/v1/models", null, null, "https://evil.example")).Status);

        // Errors have the shape of the API.
        Assert.Equal("origin_not_allowed", (string)JsonNode.Parse((await Send(server, HttpMethod.Post, "/v1/completions", Text, "application/json", "null")).Text)!["error"]!["code"]!);
        Assert.Equal("permission_error", (string)JsonNode.Parse((await Send(server, HttpMethod.Post, "/v1/messages", Talk, "application/json", "null")).Text)!["error"]!["type"]!);
        Assert.StartsWith("origin null:", (string)JsonNode.Parse((await Send(server, HttpMethod.Post, "/api/chat", Talk, "application/json", "null")).Text)!["error"]!, StringComparison.Ordinal);

        // A page that may use the server is told so, before and with the answer; others are not.
        using HttpResponseMessage asked = await server.Http.SendAsync(Preflight("https://chat.example"), Cancel);
        Assert.Equal((HttpStatusCode.NoContent, "https://chat.example", "content-type,authorization"), (asked.StatusCode, Header(asked, "Access-Control-Allow-Origin"), Header(asked, "Access-Control-Allow-Headers")));
        using HttpResponseMessage other = await server.Http.SendAsync(Preflight("https://evil.example"), Cancel);
        Assert.Equal("", Header(other, "Access-Control-Allow-Origin"));

        static HttpRequestMessage Preflight(string origin)
        {
            var request = new HttpRequestMessage(HttpMethod.Options, "/v1/chat/completions");
            request.Headers.TryAddWithoutValidation("Origin", origin);
            request.Headers.TryAddWithoutValidation("Access-Control-Request-Method", "POST");
            request.Headers.TryAddWithoutValidation("Access-Control-Request-Headers", "content-type,authorization");
            return request;
        }

        static string Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(',', values) : "";
    }

    [Fact]
    public async Task AKeyIsEnoughForAnyOrigin()
    {
        await using RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { ApiKeys = ["k"] });
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", "k");
        Assert.Equal(HttpStatusCode.OK, (await Send(server, HttpMethod.Post, "/v1/completions", Text, "application/json", "https://other.example")).Status);
    }

    [Theory]
    [InlineData("chat.example")]
    [InlineData("https://chat.example/")]
    [InlineData("https://*.example")]
    [InlineData("null")]
    public void WhatIsNoOriginCannotBeAllowed(string origin) =>
        Assert.StartsWith($"origin {origin}: expected", Assert.Throws<PunaException>(() => PunaServer.Check(new PunaServerOptions { AllowedOrigins = [origin] })).Message, StringComparison.Ordinal);

    [Fact]
    public async Task BodiesAreJson()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        foreach ((string? type, HttpStatusCode openAI, HttpStatusCode ollama) in ((string?, HttpStatusCode, HttpStatusCode)[])[
            ("application/json", HttpStatusCode.OK, HttpStatusCode.OK), ("application/json; charset=utf-8", HttpStatusCode.OK, HttpStatusCode.OK), ("Application/JSON", HttpStatusCode.OK, HttpStatusCode.OK),
            ("application/vnd.x+json", HttpStatusCode.OK, HttpStatusCode.OK), (null, HttpStatusCode.OK, HttpStatusCode.OK),
            ("application/x-www-form-urlencoded", HttpStatusCode.UnsupportedMediaType, HttpStatusCode.OK),
            ("text/plain", HttpStatusCode.UnsupportedMediaType, HttpStatusCode.UnsupportedMediaType), ("text/plain;application/json", HttpStatusCode.UnsupportedMediaType, HttpStatusCode.UnsupportedMediaType),
            ("multipart/form-data; boundary=json", HttpStatusCode.UnsupportedMediaType, HttpStatusCode.UnsupportedMediaType)])
        {
            Assert.Equal((type, openAI), (type, (await Send(server, HttpMethod.Post, "/v1/completions", Text, type)).Status));
            Assert.Equal((type, openAI), (type, (await Send(server, HttpMethod.Post, "/v1/messages", Talk, type)).Status));
            Assert.Equal((type, ollama), (type, (await Send(server, HttpMethod.Post, "/api/chat", """{"model":"default","messages":[{"role":"user","content":"x"}],"stream":false,"options":{"num_predict":1}}""", type)).Status));
        }
    }

    [Fact]
    public async Task NothingIsGeneratedWhereNothingIsAskedFor()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        const string Body = """{"model":"default","prompt":["Once","upon a"],"max_tokens":0,"echo":true,"stream":true,"stream_options":{"include_usage":true}}""";
        List<(string? Name, JsonObject? Data)> events = await server.StreamAsync("/v1/completions", Body);
        Assert.Equal(4, events.Count);
        Assert.Equal([(0, "Once", "length"), (1, "upon a", "length")], events.Take(2).Select(static e => e.Data!["choices"]![0]!).Select(static c => ((int)c["index"]!, (string)c["text"]!, (string)c["finish_reason"]!)));
        Assert.Equal(0, (int)events[2].Data!["usage"]!["completion_tokens"]!);
        Assert.Null(events[3].Data);
        JsonObject whole = await server.AskAsync("/v1/completions", Body.Replace(",\"stream\":true", "", StringComparison.Ordinal).Replace(",\"stream_options\":{\"include_usage\":true}", "", StringComparison.Ordinal));
        Assert.Equal(["Once", "upon a"], whole["choices"]!.AsArray().Select(static c => (string)c!["text"]!));
    }

    [Fact]
    public async Task ThePageIsSentToWhoWantsItAndOnlyWhereItChanged()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        async Task<HttpResponseMessage> Get(string path, string header, string value)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation(header, value);
            return await server.Http.SendAsync(request, Cancel);
        }

        foreach ((string accept, string type) in ((string, string)[])[("text/html", "text/html"), ("text/*, text/html;q=0.1", "text/html"), ("*/*", "text/plain"), ("text/html;q=0, */*", "text/plain"), ("application/json", "text/plain"), ("no type", "text/plain")])
        {
            Assert.Equal((accept, type), (accept, (await Get("/", "Accept", accept)).Content.Headers.ContentType!.MediaType));
        }

        string tag = (await server.Http.GetAsync("/app.js", Cancel)).Headers.ETag!.ToString();
        foreach ((string tags, HttpStatusCode expected) in ((string, HttpStatusCode)[])[
            (tag, HttpStatusCode.NotModified), ($"\"x\", {tag}", HttpStatusCode.NotModified), ("W/" + tag, HttpStatusCode.NotModified), ("*", HttpStatusCode.NotModified), ("\"x\"", HttpStatusCode.OK), (tag.Trim('"'), HttpStatusCode.OK)])
        {
            Assert.Equal((tags, expected), (tags, (await Get("/app.js", "If-None-Match", tags)).StatusCode));
        }
    }

    [Fact]
    public async Task AStepThatHangsIsAnErrorInEveryShapeAndUnhealthy()
    {
        await using RunningServer server = await RunningServer.StartAsync(engine: new EngineOptions { StallTimeout = TimeSpan.FromMilliseconds(400) });
        using var gate = new ManualResetEventSlim();
        var running = new TaskCompletionSource();
        using GenerationHandle hanging = server.Engine.Submit(
            new GenerationRequest
            {
                Prompt = [300], MaxTokens = 2,
                Constraint = new Hanging(() =>
                {
                    running.TrySetResult();
                    gate.Wait(Cancel);
                }),
            },
            Cancel);
        await running.Task;
        (HttpStatusCode Status, string Text)[] answers = await Task.WhenAll(
            server.PostAsync("/v1/completions", Text), server.PostAsync("/v1/messages", Talk), server.PostAsync("/api/chat", """{"model":"default","messages":[{"role":"user","content":"x"}],"stream":false}"""),
            server.PostAsync("/v1/embeddings", """{"model":"default","input":"x"}"""));
        Assert.All(answers, static a => Assert.Equal(HttpStatusCode.InternalServerError, a.Status));
        Assert.Equal(("server_error", "engine_error"), ((string)JsonNode.Parse(answers[0].Text)!["error"]!["type"]!, (string)JsonNode.Parse(answers[0].Text)!["error"]!["code"]!));
        Assert.Equal("api_error", (string)JsonNode.Parse(answers[1].Text)!["error"]!["type"]!);
        Assert.StartsWith("engine: a step has taken longer than", (string)JsonNode.Parse(answers[2].Text)!["error"]!, StringComparison.Ordinal);
        foreach (string path in (string[])["/health", "/health/ready", "/health/live"])
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.Http.GetAsync(path, Cancel)).StatusCode);
        }

        gate.Set();
        while ((await server.Http.GetAsync("/health", Cancel)).StatusCode != HttpStatusCode.OK)
        {
            await Task.Delay(20, Cancel);
        }

        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v1/completions", Text)).Status);
    }

    private static async Task<(HttpStatusCode Status, string Text)> Send(RunningServer server, HttpMethod method, string path, string? body, string? type, string? origin = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (type is not null)
            {
                request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            }
        }

        if (origin is not null)
        {
            request.Headers.TryAddWithoutValidation("Origin", origin);
        }

        using HttpResponseMessage answer = await server.Http.SendAsync(request, Cancel);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    private sealed class Hanging(Action act) : ITokenConstraint
    {
        public ConstraintState Start() => new State(act);

        private sealed class State(Action act) : ConstraintState
        {
            public override bool IsAccepting => true;

            public override bool IsFinished => false;

            public override void FillMask(Span<uint> mask)
            {
                act();
                mask.Fill(uint.MaxValue);
            }

            public override bool TryAccept(int token) => true;

            public override ConstraintState Clone() => new State(act);
        }
    }
}
