using System.Net;

namespace Puna.Hub.Tests;

/// <summary>Redirects, the token, and what refusals are told as.</summary>
public class HubHttpTests
{
    private const string Token = "hf_secret";

    private static readonly ModelReference Name = ModelReference.Parse("owner/name");
    private static readonly byte[] Content = FakeHub.Bytes(50_000);

    [Fact]
    public async Task TheTokenIsNotSentToAnotherHost()
    {
        await using var store = new LoopbackServer(request => FakeHub.Serve(request, Content, "\"store\""));
        await using var hub = new FakeHub(("m.gguf", Content));
        int count = 0;
        hub.Intercept = request => FakeHub.IsFile(request, "m.gguf") ? hub.Usual(request) with { Status = 302, Body = [], Headers = new() { ["Location"] = $"{store.Address}/blob?sig={count++}", ["X-Linked-Etag"] = $"\"{FakeHub.Sha256(Content)}\"" } } : null;
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache, options => options with { Token = Token });

        ModelFiles files = await client.PullAsync(Name, null, TestContext.Current.CancellationToken);

        Assert.Equal(Content, File.ReadAllBytes(files.Path));
        Assert.All(hub.Requests, request => Assert.Equal("Bearer " + Token, request.Header("Authorization")));
        Request there = Assert.Single(store.Requests);
        Assert.Null(there.Header("Authorization"));
        Assert.DoesNotContain(there.Headers.Values, value => value.Contains(Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ResumingGoesThroughTheEndpointAgain()
    {
        int count = 0;
        await using var store = new LoopbackServer(request => FakeHub.Serve(request, Content, "\"store\"") with { CutAfter = count++ == 0 ? 20_000 : null });
        await using var hub = new FakeHub(("m.gguf", Content));
        hub.Intercept = request => FakeHub.IsFile(request, "m.gguf") ? new Reply(302, []).With("Location", store.Address + "/blob").With("ETag", "\"hub\"") : null;
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache, options => options with { Token = Token });
        await client.PullAsync(Name, null, TestContext.Current.CancellationToken);

        Assert.Equal(2, hub.RequestsFor("m.gguf").Count);
        Request second = store.Requests.Last();
        Assert.Equal(("bytes=20000-", "\"store\"", null), (second.Header("Range"), second.Header("If-Range"), second.Header("Authorization")));
    }

    [Fact]
    public async Task AnotherHostHasNoSayInSizesAndChecksums()
    {
        await using var store = new LoopbackServer(request => FakeHub.Serve(request, Content, "\"store\"").With("X-Linked-Size", "7").With("X-Linked-Etag", $"\"{new string('a', 64)}\""));
        await using var hub = new FakeHub(("m.gguf", Content));
        hub.Intercept = request => FakeHub.IsFile(request, "m.gguf") ? new Reply(307, []).With("Location", store.Address + "/blob") : null;
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache);
        Assert.Equal(Content, File.ReadAllBytes((await client.PullAsync(Name, null, TestContext.Current.CancellationToken)).Path));
    }

    [Fact]
    public async Task ASignedAddressThatRanOutIsRenewed()
    {
        await using var store = new LoopbackServer(request => request.Target == "/1" ? FakeHub.Serve(request, Content, "\"store\"") : new Reply(403, []));
        await using var hub = new FakeHub(("m.gguf", Content));
        int count = 0;
        hub.Intercept = request => FakeHub.IsFile(request, "m.gguf") ? new Reply(302, []).With("Location", $"{store.Address}/{count++}") : null;
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache);
        await client.PullAsync(Name, null, TestContext.Current.CancellationToken);
        Assert.Equal(2, store.Requests.Count);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task ARelativeRedirectKeepsTheToken(int status)
    {
        await using var hub = new FakeHub(("m.gguf", Content));
        hub.Intercept = request => FakeHub.IsFile(request, "m.gguf") ? new Reply(status, []).With("Location", "/moved/here")
            : request.Target == "/moved/here" ? FakeHub.Serve(request, Content, "\"t\"") : null;
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache, options => options with { Token = Token });
        await client.PullAsync(Name, null, TestContext.Current.CancellationToken);
        Assert.Equal("Bearer " + Token, hub.Requests.Single(request => request.Target == "/moved/here").Header("Authorization"));
    }

    [Fact]
    public async Task RedirectsHaveAnEnd()
    {
        await using var hub = new FakeHub(("m.gguf", Content));
        hub.Intercept = request => FakeHub.IsFile(request, "m.gguf") ? new Reply(302, []).With("Location", request.Target) : null;
        await Fails(hub, HubErrorKind.BadAnswer, "at most 10 redirects");
        Assert.InRange(hub.Requests.Count, 11, 12);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("http://")]
    [InlineData(null)]
    public async Task RedirectsLeadToWebAddressesOnly(string? location)
    {
        await using var hub = new FakeHub(("m.gguf", Content));
        hub.Intercept = request => !FakeHub.IsFile(request, "m.gguf") ? null : location is null ? new Reply(302, []) : new Reply(302, []).With("Location", location);
        await Fails(hub, HubErrorKind.BadAnswer, "expected a redirect to an http(s) address");
    }

    [Fact]
    public async Task ASecureConnectionIsNotGivenUpByARedirect()
    {
        using var handler = new StubHandler(_ => new HttpResponseMessage(HttpStatusCode.Found) { Headers = { Location = new Uri("http://plain.example/x") } });
        using var cache = new TempFolder();
        using var client = new HubClient(new HubOptions { Endpoint = "https://hub.example", CacheFolder = cache, Token = Token, Offline = false }, handler);
        HubException e = await Assert.ThrowsAsync<HubException>(() => client.PullAsync(Name, null, TestContext.Current.CancellationToken));
        Assert.Contains("expected a redirect to an https address, got http", e.Message, StringComparison.Ordinal);
        Assert.Single(handler.Seen);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task AGatedModelSaysHowToGetIt(int status)
    {
        await using var hub = new FakeHub(("m.gguf", Content));
        hub.Intercept = request => FakeHub.IsFile(request, "m.gguf") ? new Reply(status, []).With("X-Error-Code", "GatedRepo") : null;
        HubException e = await Fails(hub, HubErrorKind.AccessDenied, "gated or private");
        Assert.Contains("HF_TOKEN", e.Message, StringComparison.Ordinal);
        Assert.Contains("~/.cache/huggingface/token", e.Message, StringComparison.Ordinal);
        Assert.Contains(hub.Address + "/owner/name", e.Message, StringComparison.Ordinal);
        e = await Fails(hub, HubErrorKind.AccessDenied, "the token given may not read it", options => options with { Token = Token });
        Assert.DoesNotContain(Token, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("owner/name", "RepoNotFound", "model owner/name: not found on 127.0.0.1:")]
    [InlineData("owner/name@v2", "RevisionNotFound", "revision 'v2' of model owner/name: not found on 127.0.0.1:")]
    [InlineData("owner/name@v2", "", "model owner/name at revision 'v2': not found on 127.0.0.1:")]
    public async Task WhatIsNotThereIsNamed(string name, string code, string message)
    {
        await using var hub = new FakeHub();
        hub.Intercept = _ => new Reply(404, []).With("X-Error-Code", code);
        await Fails(hub, HubErrorKind.NotFound, message, name: name);
        Assert.Single(hub.Requests);
    }

    [Fact]
    public async Task AFileThatIsListedButNotThereIsNamed()
    {
        await using var hub = new FakeHub(("m.gguf", Content));
        hub.Intercept = request => FakeHub.IsFile(request, "m.gguf") ? new Reply(404, []) : null;
        await Fails(hub, HubErrorKind.NotFound, "file 'm.gguf' of model owner/name: not found");
    }

    [Theory]
    [InlineData(204)]
    [InlineData(400)]
    [InlineData(418)]
    [InlineData(304)]
    public async Task OtherAnswersAreErrors(int status)
    {
        await using var hub = new FakeHub(("m.gguf", Content));
        hub.Intercept = request => FakeHub.IsFile(request, "m.gguf") ? new Reply(status, []) { WithoutLength = true } : null;
        await Fails(hub, HubErrorKind.BadAnswer, $"expected HTTP 200, got {status}");
    }

    [Fact]
    public async Task ABusyListIsAskedForAgain()
    {
        await using var hub = new FakeHub(("m.gguf", Content));
        int count = 0;
        hub.Intercept = request => request.Target.StartsWith("/api/", StringComparison.Ordinal) && count++ == 0 ? new Reply(503, []) : null;
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache);
        await client.PullAsync(Name, null, TestContext.Current.CancellationToken);
        Assert.Equal(2, count);
    }

    [Fact]
    public async Task AnEndlessListIsCutOff()
    {
        // 65 MiB of spaces, sent lazily: the limit is 64.
        await using var hub = new FakeHub();
        byte[] spaces = new byte[65 << 20];
        Array.Fill(spaces, (byte)' ');
        hub.Intercept = _ => new Reply(200, spaces);
        await Fails(hub, HubErrorKind.BadAnswer, "expected at most 67108864 bytes");
    }

    private static async Task<HubException> Fails(FakeHub hub, HubErrorKind kind, string part, Func<HubOptions, HubOptions>? change = null, string name = "owner/name")
    {
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache, change);
        HubException e = await Assert.ThrowsAsync<HubException>(() => client.PullAsync(ModelReference.Parse(name), null, TestContext.Current.CancellationToken));
        Assert.Contains(part, e.Message, StringComparison.Ordinal);
        Assert.Equal(kind, e.Kind);
        return e;
    }

    private sealed class StubHandler(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        public List<Uri> Seen { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Seen.Add(request.RequestUri!);
            HttpResponseMessage response = answer(request);
            response.RequestMessage = request;
            return Task.FromResult(response);
        }
    }
}
