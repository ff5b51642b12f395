using Puna.Tensors;

namespace Puna.Hub.Tests;

public class HubClientTests
{
    private static readonly ModelReference Name = ModelReference.Parse("owner/name");
    private static readonly byte[] Weights = FakeHub.Bytes(300_000);

    [Fact]
    public async Task PullsAModel()
    {
        await using FakeHub hub = Repository();
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache);
        var recorder = new Recorder();

        ModelFiles files = await client.PullAsync(Name, recorder, TestContext.Current.CancellationToken);

        Assert.Equal(FakeHub.Commit, files.Commit);
        Assert.Equal(files.Folder, files.Path);
        Assert.Equal(["config.json", "model.safetensors"], files.Files.Select(file => Path.GetRelativePath(files.Folder, file)).Order());
        Assert.Equal(Weights, File.ReadAllBytes(Path.Combine(files.Path, "model.safetensors")));
        Assert.Equal("{}"u8.ToArray(), File.ReadAllBytes(Path.Combine(files.Path, "config.json")));
        Assert.DoesNotContain(cache.Files(), file => file.Contains("partial", StringComparison.Ordinal) || file.EndsWith(".tmp", StringComparison.Ordinal));
        Assert.DoesNotContain(hub.Requests, request => request.Target.Contains("README", StringComparison.Ordinal) || request.Method != "GET");
        Assert.Contains(hub.Requests, request => request.Target == "/api/models/owner/name/revision/main?blobs=true");

        PullProgress done = recorder.Of(PullStage.Done).Single(report => report.File == "model.safetensors");
        Assert.Equal((300_000L, 300_000L, 2), (done.Bytes, done.Total, done.Count));
        Assert.Contains(recorder.Of(PullStage.Downloading), report => report.File == "model.safetensors" && report.Bytes == 0 && report.Total == 300_000);
        Assert.Equal(PullStage.Listing, recorder.Reports.First().Stage);
    }

    [Fact]
    public async Task ASecondPullAsksNobody()
    {
        await using FakeHub hub = Repository();
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache);
        ModelFiles first = await client.PullAsync(Name, null, TestContext.Current.CancellationToken);
        int requests = hub.Requests.Count;

        ModelFiles second = await client.PullAsync(Name, null, TestContext.Current.CancellationToken);

        Assert.Equal(requests, hub.Requests.Count);
        Assert.Equal(first.Files, second.Files);
        Assert.Equal(first.Path, second.Path);
    }

    [Fact]
    public async Task OfflineUsesTheCacheAlone()
    {
        await using FakeHub hub = Repository();
        hub.Files["second.gguf"] = Weights;
        using var cache = new TempFolder();
        using HubClient offline = hub.Client(cache, options => options with { Offline = true, Refresh = true });
        HubException e = await Assert.ThrowsAsync<HubException>(() => offline.PullAsync(Name, null, TestContext.Current.CancellationToken));
        Assert.Equal(HubErrorKind.Offline, e.Kind);
        Assert.Equal($"model owner/name: offline mode is on (option, PUNA_OFFLINE or HF_HUB_OFFLINE) and it is not in the cache ({cache.Path})", e.Message);
        Assert.Empty(hub.Requests);
        Assert.Empty(cache.Files());

        using HubClient online = hub.Client(cache);
        await online.PullAsync(Name, null, TestContext.Current.CancellationToken);
        int requests = hub.Requests.Count;
        ModelFiles files = await offline.PullAsync(Name, null, TestContext.Current.CancellationToken);
        Assert.True(Directory.Exists(files.Path));
        e = await Assert.ThrowsAsync<HubException>(() => offline.PullAsync(ModelReference.Parse("owner/name:second.gguf"), null, TestContext.Current.CancellationToken));
        Assert.Contains("its file second.gguf is not in the cache", e.Message, StringComparison.Ordinal);
        Assert.Equal(requests, hub.Requests.Count);
    }

    [Fact]
    public async Task ANamedFileIsPulledAlone()
    {
        await using FakeHub hub = new(("a.gguf", Weights), ("b.gguf", FakeHub.Bytes(10)));
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache);

        ModelFiles files = await client.PullAsync(ModelReference.Parse("owner/name:a.gguf"), null, TestContext.Current.CancellationToken);

        Assert.Equal(Path.Combine(files.Folder, "a.gguf"), files.Path);
        Assert.Equal(Weights, File.ReadAllBytes(files.Path));
        Assert.Empty(hub.RequestsFor("b.gguf"));
        HubException e = await Assert.ThrowsAsync<HubException>(() => client.PullAsync(Name, null, TestContext.Current.CancellationToken));
        Assert.Equal(HubErrorKind.Ambiguous, e.Kind);
    }

    [Fact]
    public async Task NamesAreEscapedInAddresses()
    {
        const string Odd = "a%2e +#&/m 1.gguf";
        await using FakeHub hub = new(("unused.json", []));
        hub.Files[Odd] = Weights;
        hub.Intercept = request => request.Target == $"/owner/name/resolve/{FakeHub.Commit}/a%252e%20%2B%23%26/m%201.gguf" ? FakeHub.Serve(request, Weights, "\"t\"") : null;
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache);

        ModelFiles files = await client.PullAsync(ModelReference.Parse("owner/name@refs/pr/1:" + Odd), null, TestContext.Current.CancellationToken);

        Assert.Equal(Weights, File.ReadAllBytes(files.Path));
        Assert.Equal("/api/models/owner/name/revision/refs%2Fpr%2F1?blobs=true", hub.Requests.First().Target);
    }

    [Fact]
    public async Task RefreshFollowsTheBranchAndFetchesOnlyWhatChanged()
    {
        const string Next = "fedcba9876543210fedcba9876543210fedcba98";
        await using FakeHub hub = Repository();
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache), refresh = hub.Client(cache, options => options with { Refresh = true });
        ModelFiles before = await client.PullAsync(Name, null, TestContext.Current.CancellationToken);
        hub.Head = Next;
        hub.Files["config.json"] = """{"a":1}"""u8.ToArray();

        Assert.Equal(before.Commit, (await client.PullAsync(Name, null, TestContext.Current.CancellationToken)).Commit);
        ModelFiles after = await refresh.PullAsync(Name, null, TestContext.Current.CancellationToken);

        Assert.Equal(Next, after.Commit);
        Assert.Equal(Weights, File.ReadAllBytes(Path.Combine(after.Path, "model.safetensors")));
        Assert.Equal("""{"a":1}""", File.ReadAllText(Path.Combine(after.Path, "config.json")));
        Assert.Single(hub.RequestsFor("model.safetensors"));
        Assert.Equal("{}", File.ReadAllText(Path.Combine(before.Path, "config.json")));
        Assert.Equal(Next, (await client.PullAsync(Name, null, TestContext.Current.CancellationToken)).Commit);
        Assert.Equal(before.Commit, (await client.PullAsync(ModelReference.Parse("owner/name@" + before.Commit), null, TestContext.Current.CancellationToken)).Commit);
    }

    [Fact]
    public async Task ADamagedTwinIsNotCopied()
    {
        await using FakeHub hub = Repository();
        using var cache = new TempFolder();
        using HubClient refresh = hub.Client(cache, options => options with { Refresh = true });
        ModelFiles before = await refresh.PullAsync(Name, null, TestContext.Current.CancellationToken);
        byte[] damaged = [.. Weights];
        damaged[77] ^= 1;
        File.WriteAllBytes(Path.Combine(before.Path, "model.safetensors"), damaged);
        hub.Head = "fedcba9876543210fedcba9876543210fedcba98";

        ModelFiles after = await refresh.PullAsync(Name, null, TestContext.Current.CancellationToken);

        Assert.Equal(Weights, File.ReadAllBytes(Path.Combine(after.Path, "model.safetensors")));
        Assert.Equal(2, hub.RequestsFor("model.safetensors").Count);
    }

    [Fact]
    public async Task AListWithoutSizesIsEnough()
    {
        await using FakeHub hub = Repository();
        hub.ListsBlobs = false;
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache);
        ModelFiles files = await client.PullAsync(Name, null, TestContext.Current.CancellationToken);
        Assert.Equal(Weights, File.ReadAllBytes(Path.Combine(files.Path, "model.safetensors")));
    }

    [Fact]
    public async Task AMirrorMayKnowBranchesOnly()
    {
        await using FakeHub hub = Repository();
        hub.Intercept = request => request.Target.Contains("/resolve/" + FakeHub.Commit, StringComparison.Ordinal) ? new Reply(404, []) : null;
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache);
        ModelFiles files = await client.PullAsync(Name, null, TestContext.Current.CancellationToken);
        Assert.Equal(Weights, File.ReadAllBytes(Path.Combine(files.Path, "model.safetensors")));
    }

    [Fact]
    public async Task AHubMayHaveNoCommits()
    {
        await using FakeHub hub = new(("m.gguf", Weights));
        hub.Intercept = request => request.Target.StartsWith("/api/", StringComparison.Ordinal) ? FakeHub.Json("""{"siblings":[{"rfilename":"m.gguf","size":300000}]}""")
            : request.Target == "/owner/name/resolve/main/m.gguf" ? null : new Reply(404, []);
        using var cache = new TempFolder();
        using HubClient client = hub.Client(cache);
        ModelFiles files = await client.PullAsync(Name, null, TestContext.Current.CancellationToken);
        Assert.Equal(Weights, File.ReadAllBytes(files.Path));
        Assert.True(client.Cache.TryFind(Name, out _));
    }

    [Fact]
    public async Task AChangeBetweenListAndFileIsNoticed()
    {
        await using FakeHub hub = Repository();
        hub.Intercept = request => FakeHub.IsFile(request, "config.json") ? hub.Usual(request).With("X-Repo-Commit", "fedcba9876543210fedcba9876543210fedcba98") : null;
        await Fails(hub, HubErrorKind.BadAnswer, "has just changed");
    }

    [Fact]
    public async Task ACommitAskedForMustBeTheCommitListed()
    {
        await using FakeHub hub = Repository();
        await Fails(hub, HubErrorKind.BadAnswer, "expected commit fedc", "owner/name@fedcba9876543210fedcba9876543210fedcba98");
    }

    [Theory]
    [InlineData("../evil.safetensors")]
    [InlineData("/tmp/evil.safetensors")]
    [InlineData("a/../../../evil.safetensors")]
    [InlineData("..\\evil.safetensors")]
    [InlineData("C:\\evil.safetensors")]
    [InlineData("C:evil.safetensors")]
    [InlineData("nul.safetensors")]
    [InlineData("evil\u001b[2J.safetensors")]
    [InlineData("config.json/../evil.safetensors")]
    public async Task HostileNamesWriteNothing(string path)
    {
        await using FakeHub hub = new(("config.json", "{}"u8.ToArray()), (path, Weights));
        hub.Intercept = request => request.Target.Contains("/resolve/", StringComparison.Ordinal) ? new Reply(200, Weights) : null;
        using var outer = new TempFolder();
        HubException e = await Fails(hub, HubErrorKind.BadAnswer, "", cache: outer.File("cache"));
        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.DoesNotContain(outer.Files(), file => file.Contains("evil", StringComparison.Ordinal) || file.Contains("nul", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task TwoPullsOfOneModelDownloadItOnce()
    {
        await using FakeHub hub = Repository();
        var waiting = new TaskCompletionSource();
        hub.Intercept = request => FakeHub.IsFile(request, "model.safetensors") ? hub.Usual(request) with { HalfWay = waiting.Task } : null;
        using var cache = new TempFolder();
        using HubClient a = hub.Client(cache), b = hub.Client(cache);
        Task<ModelFiles> first = a.PullAsync(Name, null, TestContext.Current.CancellationToken);
        while (hub.RequestsFor("model.safetensors").Count == 0) await Task.Delay(5, TestContext.Current.CancellationToken);

        var recorder = new Recorder(report =>
        {
            if (report.Stage == PullStage.Waiting) waiting.TrySetResult();
        });
        ModelFiles second = await b.PullAsync(Name, recorder, TestContext.Current.CancellationToken);

        Assert.Equal((await first).Files, second.Files);
        Assert.Single(recorder.Of(PullStage.Waiting));
        Assert.Single(hub.RequestsFor("model.safetensors"));
    }

    [Fact]
    public async Task WaitingForAnotherProcessHasAnEnd()
    {
        await using FakeHub hub = Repository();
        using var cache = new TempFolder();
        using CacheLock held = CacheLock.Take(new CacheLayout(cache, "owner", "name").Lock, "test");
        await Fails(hub, HubErrorKind.Busy, "another process", cache: cache, change: options => options with { LockTimeout = TimeSpan.FromMilliseconds(50) });
        Assert.Empty(hub.Requests);
    }

    [Fact]
    public async Task ADownloadThatDoesNotFitIsNotBegun()
    {
        await using FakeHub hub = Repository();
        using var cache = new TempFolder();
        using var client = new HubClient(HubSettings.Resolve(hub.Options(cache)), null, _ => 299_999);
        HubException e = await Assert.ThrowsAsync<HubException>(() => client.PullAsync(Name, null, TestContext.Current.CancellationToken));
        Assert.Equal(HubErrorKind.Disk, e.Kind);
        Assert.Contains("expected 300.0 kB of free disk space", e.Message, StringComparison.Ordinal);
        Assert.Empty(hub.RequestsFor("model.safetensors"));
    }

    [Fact]
    public async Task ACacheThatIsAFileIsAClearError()
    {
        await using FakeHub hub = Repository();
        using var outer = new TempFolder();
        File.WriteAllText(outer.File("cache"), "");
        await Fails(hub, HubErrorKind.Disk, "cannot write", cache: outer.File("cache"));
    }

    [Fact]
    public void OptionsAreCheckedBeforeAnythingIsSent() => Assert.Throws<PunaException>(() => new HubClient(new HubOptions { Endpoint = "nonsense", Token = "" }));

    private static FakeHub Repository() => new(("README.md", "hello"u8.ToArray()), ("config.json", "{}"u8.ToArray()), ("model.safetensors", Weights));

    private static async Task<HubException> Fails(
        FakeHub hub, HubErrorKind kind, string part, string name = "owner/name", string? cache = null, Func<HubOptions, HubOptions>? change = null)
    {
        using var own = new TempFolder();
        using HubClient client = hub.Client(cache ?? own, change);
        HubException e = await Assert.ThrowsAsync<HubException>(() => client.PullAsync(ModelReference.Parse(name), null, TestContext.Current.CancellationToken));
        Assert.Equal(kind, e.Kind);
        Assert.Contains(part, e.Message, StringComparison.Ordinal);
        Assert.False(client.Cache.TryFind(ModelReference.Parse(name), out _));
        return e;
    }
}
