using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Puna.Runtime.Serving;
using Puna.Tensors;

namespace Puna.Server.Tests;

/// <summary>Keys, limits, health, metrics, going away and coming to an end.</summary>
public sealed class OperationTests
{
    private const string Long = """{"model":"default","prompt":"Once upon a time","max_tokens":300,"ignore_eos":true""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EverythingButThePageAndHealthNeedsTheKey()
    {
        await using RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { ApiKeys = ["first", "second"] });
        foreach (string open in (string[])["/", "/app.js", "/style.css", "/health", "/health/ready", "/health/live"])
        {
            Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync(open, Cancel)).StatusCode);
        }

        foreach (string path in (string[])["/v1/models", "/v1/models/default", "/metrics", "/api/tags", "/api/version", "/api/ps", "/nothing", "/openapi"])
        {
            HttpResponseMessage refused = await server.Http.GetAsync(path, Cancel);
            Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (refused.StatusCode, refused.Headers.WwwAuthenticate.ToString()));
        }

        foreach (string path in (string[])["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/rerank", "/v1/messages", "/v1/messages/count_tokens", "/api/chat", "/api/generate", "/api/embed", "/api/show", "/tokenize", "/detokenize", "/apply-template"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await server.PostAsync(path, "{}")).Status);
        }

        foreach ((string name, string value, HttpStatusCode expected) in ((string, string, HttpStatusCode)[])[
            ("Authorization", "Bearer first", HttpStatusCode.OK), ("x-api-key", "second", HttpStatusCode.OK), ("Authorization", "Bearer firs", HttpStatusCode.Unauthorized), ("Authorization", "Basic first", HttpStatusCode.Unauthorized), ("x-api-key", "", HttpStatusCode.Unauthorized)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
            request.Headers.TryAddWithoutValidation(name, value);
            Assert.Equal(expected, (await server.Http.SendAsync(request, Cancel)).StatusCode);
        }
    }

    [Fact]
    public void NobodyElseIsLetInWithoutAKey()
    {
        Assert.Contains("expected a key", Assert.Throws<PunaException>(static () => PunaServer.Check(new PunaServerOptions { Host = "0.0.0.0" })).Message, StringComparison.Ordinal);
        Assert.Contains("expected an address", Assert.Throws<PunaException>(static () => PunaServer.Check(new PunaServerOptions { Host = "example.org" })).Message, StringComparison.Ordinal);
        PunaServer.Check(new PunaServerOptions { Host = "0.0.0.0", ApiKeys = ["k"] });
        PunaServer.Check(new PunaServerOptions { Host = "::1" });
    }

    [Fact]
    public async Task AClientThatResetsWhileItSendsIsNoFailureOfTheServer()
    {
        using var said = new Said();
        await using RunningServer server = await RunningServer.StartAsync(configure: builder => builder.Logging.AddProvider(said));
        for (int i = 0; i < 5; i++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
            await socket.ConnectAsync(IPAddress.Loopback, new Uri(server.Server.Address).Port, Cancel);
            await socket.SendAsync("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"model\""u8.ToArray(), Cancel);

            // The server waits for the rest of the body; without this it may not have begun to.
            await Task.Delay(100, Cancel);
        }

        // What comes after it is answered, and by then the resets have been met.
        await Task.Delay(300, Cancel);
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/health", Cancel)).StatusCode);
        Assert.DoesNotContain(said.Lines, static l => l.StartsWith("Puna.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ANameOfAnotherSiteIsRefusedWhereThereIsNoKey()
    {
        await using RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { AllowedHosts = ["puna.example"] });
        foreach ((string host, HttpStatusCode expected) in ((string, HttpStatusCode)[])[("localhost", HttpStatusCode.OK), ("puna.example", HttpStatusCode.OK), ("evil.example", HttpStatusCode.Forbidden)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
            request.Headers.Host = host;
            Assert.Equal(expected, (await server.Http.SendAsync(request, Cancel)).StatusCode);
        }
    }

    [Fact]
    public async Task TwentyFourRequestsOfOneKeyAreAnswered()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        (HttpStatusCode Status, string)[] answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => server.PostAsync("/v1/completions", $$"""{"model":"default","prompt":"Once upon","max_tokens":20,"seed":{{i}}}""")));
        Assert.All(answers, static a => Assert.Equal(HttpStatusCode.OK, a.Status));
        string metrics = await server.Http.GetStringAsync("/metrics", Cancel);
        Assert.Contains("vllm:request_success_total{model_name=\"puna-tiny\",engine=\"0\",finished_reason=\"length\"}", metrics, StringComparison.Ordinal);
        Assert.Contains("vllm:time_to_first_token_seconds_count{model_name=\"puna-tiny\",engine=\"0\"} 24", metrics, StringComparison.Ordinal);
        Assert.Contains("vllm:iteration_tokens_total_bucket{model_name=\"puna-tiny\",engine=\"0\",le=\"256\"}", metrics, StringComparison.Ordinal);
        Assert.All(metrics.Split('\n', StringSplitOptions.RemoveEmptyEntries), static line => Assert.Matches(@"^(# (HELP|TYPE) vllm:\w+ .+|vllm:\w+\{[^}]*\} [0-9.eE+-]+)$", line));
    }

    [Fact]
    public async Task AFullQueueIsSaidWithATime()
    {
        await using RunningServer server = await RunningServer.StartAsync(engine: new EngineOptions { MaxSequences = 1, QueueLimit = 2, QueueTimeout = TimeSpan.FromMinutes(10) });
        Task<(HttpStatusCode Status, string Text)>[] all = [.. Enumerable.Range(0, 9).Select(_ => server.PostAsync("/v1/completions", Long + "}"))];
        (HttpStatusCode Status, string Text)[] answers = await Task.WhenAll(all);
        Assert.Equal(3, answers.Count(static a => a.Status == HttpStatusCode.OK));
        Assert.All(answers.Where(static a => a.Status != HttpStatusCode.OK), static a =>
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, a.Status);
            Assert.Contains("\"overloaded\"", a.Text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task AClientThatGoesAwayIsForgotten()
    {
        await using RunningServer server = await RunningServer.StartAsync(engine: new EngineOptions { PrefixCache = false });
        for (int i = 0; i < 3; i++)
        {
            using var leave = new CancellationTokenSource();
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent(Long + (i == 2 ? "}" : ",\"stream\":true}"), Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
            Task<HttpResponseMessage> sent = server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leave.Token);
            if (i < 2)
            {
                await sent;
            }

            await Task.Delay(20, Cancel);
            await leave.CancelAsync();
            try
            {
                (await sent).Dispose();
            }
            catch (OperationCanceledException)
            {
            }
        }

        for (int i = 0; i < 500 && server.Engine.Statistics() is not { Running: 0, Waiting: 0, CacheUsage: 0 }; i++)
        {
            await Task.Delay(10, Cancel);
        }

        Assert.True(server.Engine.Statistics() is { Running: 0, Waiting: 0, CacheUsage: 0 });
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v1/completions", """{"model":"default","prompt":"x","max_tokens":1}""")).Status);
    }

    [Fact]
    public async Task AServerThatEndsFinishesWhatHasBegun()
    {
        RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { DrainTimeout = TimeSpan.FromMinutes(5) });
        Task<(HttpStatusCode Status, string Text)> begun = server.PostAsync("/v1/completions", Long + ",\"stream\":true}");
        while (server.Engine.Statistics().Running == 0)
        {
            await Task.Delay(5, Cancel);
        }

        Task stopped = server.Server.StopAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.Http.GetAsync("/health", Cancel)).StatusCode);
        (HttpStatusCode status, string text) = await server.PostAsync("/v1/completions", Long + "}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("\"draining\"", text, StringComparison.Ordinal);
        (status, text) = await begun;
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        await stopped;
        await server.DisposeAsync();
    }

    [Fact]
    public async Task ABodyThatIsTooLargeIsRefused()
    {
        await using RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { MaxBodyBytes = 1000 });
        (HttpStatusCode status, string text) = await server.PostAsync("/v1/completions", $$"""{"model":"default","prompt":"{{new string('x', 2000)}}"}""");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("request_too_large", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ThePageLoadsNothingFromElsewhere()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        Assert.Equal("Ollama is running", await server.Http.GetStringAsync("/", Cancel));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.TryAddWithoutValidation("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
        using HttpResponseMessage page = await server.Http.SendAsync(request, Cancel);
        Assert.StartsWith("default-src 'none'; script-src 'self'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        string html = await page.Content.ReadAsStringAsync(Cancel);
        foreach (string file in (string[])["/app.js", "/style.css"])
        {
            Assert.Contains(file, html, StringComparison.Ordinal);
            html += await server.Http.GetStringAsync(file, Cancel);
        }

        // Neither other addresses, nor markup made of a model's text, nor code that the policy would not let run.
        Assert.DoesNotMatch(@"https?://|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\son\w+=|style=""", html);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/app.js");
        again.Headers.TryAddWithoutValidation("If-None-Match", (await server.Http.GetAsync("/app.js", Cancel)).Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.NotModified, (await server.Http.SendAsync(again, Cancel)).StatusCode);
    }

    /// <summary>Keeps what is logged as a warning or worse, the category first.</summary>
    private sealed class Said : ILoggerProvider, ILogger
    {
        private string _category = "";

        public ConcurrentQueue<string> Lines { get; private init; } = new();

        public ILogger CreateLogger(string categoryName) => new Said { _category = categoryName, Lines = Lines };

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Enqueue($"{_category}: {formatter(state, exception)} {exception?.Message}");

        public void Dispose()
        {
        }
    }
}
