using System.Diagnostics;

namespace Puna.Hub.Tests;

/// <summary>Downloads that go wrong in every way a server can think of.</summary>
public class FileDownloaderTests : IDisposable
{
    private const string File = "model.gguf";

    private static readonly byte[] Content = FakeHub.Bytes(300_000);
    private static readonly ModelReference Name = ModelReference.Parse("owner/name");

    private readonly TempFolder _cache = new();

    private string Final => _cache.File("models", "owner", "name", "snapshots", FakeHub.Commit, File);

    private string Partial => Final + ".partial";

    public void Dispose() => _cache.Dispose();

    [Fact]
    public async Task ABrokenConnectionIsResumedWhereItBroke()
    {
        await using FakeHub hub = Hub((request, n, usual) => n == 0 ? usual with { CutAfter = 100_000 } : null);
        var recorder = new Recorder();
        await PullAsync(hub, recorder);

        List<Request> requests = hub.RequestsFor(File);
        Assert.Equal(2, requests.Count);
        Assert.Null(requests[0].Header("Range"));
        Assert.Equal("bytes=100000-", requests[1].Header("Range"));
        Assert.Equal(Tag(Content), requests[1].Header("If-Range"));
        Assert.Contains("attempt 2 of 5", Assert.Single(recorder.Of(PullStage.Retrying)).Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheNextPullResumesToo()
    {
        await using FakeHub hub = Hub((request, n, usual) => n == 0 ? usual with { CutAfter = 100_000 } : null);
        HubException e = await FailsAsync(hub, HubErrorKind.Network, options => options with { MaxAttempts = 1 });
        Assert.Contains("given up after 1 attempt, the next pull goes on from there", e.Message, StringComparison.Ordinal);
        Assert.Equal(100_000, new FileInfo(Partial).Length);

        var recorder = new Recorder();
        await PullAsync(hub, recorder);

        Assert.Equal("bytes=100000-", hub.RequestsFor(File)[1].Header("Range"));
        Assert.Equal(100_000, recorder.Of(PullStage.Downloading).First().Bytes);
    }

    [Fact(Timeout = 60_000)]
    public async Task CancellingKeepsWhatIsHere()
    {
        var never = new TaskCompletionSource();
        await using FakeHub hub = Hub((request, n, usual) => n == 0 ? usual with { HalfWay = never.Task } : null);
        using var stop = new CancellationTokenSource();
        using HubClient client = hub.Client(_cache);
        Task pull = client.PullAsync(Name, null, stop.Token);
        while (!System.IO.File.Exists(Partial) || new FileInfo(Partial).Length < 150_000) await Task.Delay(5, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        Assert.False(System.IO.File.Exists(Final));
        Assert.Equal(150_000, new FileInfo(Partial).Length);

        await PullAsync(hub);
        Assert.Equal("bytes=150000-", hub.RequestsFor(File)[1].Header("Range"));
    }

    [Fact]
    public async Task AServerThatIgnoresRangesIsReadFromTheBeginning()
    {
        await using FakeHub hub = Hub((request, n, usual) => n == 0 ? usual with { CutAfter = 100_000 } : new Reply(200, Content));
        await PullAsync(hub);
        Assert.Equal(2, hub.RequestsFor(File).Count);
    }

    [Fact]
    public async Task ContentThatChangedIsReadFromTheBeginning()
    {
        // If-Range does not match any more, so the server answers 200 with the new content. The list's checksum is gone with ListsBlobs.
        byte[] next = FakeHub.Bytes(300_000, seed: 2);
        await using FakeHub hub = Hub((request, n, usual) => n == 0 ? new Reply(200, Content) { CutAfter = 100_000 }.With("ETag", Tag(Content)) : FakeHub.Serve(request, next, Tag(next)));
        hub.ListsBlobs = false;
        await PullAsync(hub, expected: next);
        Assert.Equal(Tag(Content), hub.RequestsFor(File)[1].Header("If-Range"));
    }

    [Fact]
    public async Task APartWithAnotherTagIsNotAppended()
    {
        byte[] next = FakeHub.Bytes(300_000, seed: 2);
        await using FakeHub hub = Hub((request, n, usual) => n switch
        {
            0 => new Reply(200, Content) { CutAfter = 100_000 }.With("ETag", Tag(Content)),
            1 => new Reply(206, next[100_000..]).With("ETag", Tag(next)).With("Content-Range", "bytes 100000-299999/300000"),
            _ => FakeHub.Serve(request, next, Tag(next)),
        });
        hub.ListsBlobs = false;
        await PullAsync(hub, expected: next);
        Assert.Null(hub.RequestsFor(File)[2].Header("Range"));
    }

    [Theory]
    [InlineData("bytes 0-299999/300000")]
    [InlineData("bytes 100001-299999/300000")]
    [InlineData("bytes 100000-299998/300000")]
    [InlineData("potatoes 100000-299999/300000")]
    [InlineData(null)]
    public async Task APartThatIsNotTheOneAskedForIsNotAppended(string? range)
    {
        await using FakeHub hub = Hub((request, n, usual) => n switch
        {
            0 => usual with { CutAfter = 100_000 },
            1 => range is null ? new Reply(206, Content[100_000..]) : new Reply(206, Content[100_000..]).With("Content-Range", range),
            _ => null,
        });
        await PullAsync(hub);
        Assert.Null(hub.RequestsFor(File)[2].Header("Range"));
    }

    [Fact]
    public async Task NothingAfterWhatIsHereBeginsAnew()
    {
        await using FakeHub hub = Hub((request, n, usual) => n switch { 0 => usual with { CutAfter = 100_000 }, 1 => new Reply(416, []), _ => null });
        await PullAsync(hub);
        Assert.Equal([null, "bytes=100000-", null], hub.RequestsFor(File).Select(request => request.Header("Range")));
    }

    [Fact]
    public async Task WithoutChecksumAndTagNothingIsResumed()
    {
        await using FakeHub hub = Hub((request, n, usual) => n == 0 ? new Reply(200, Content) { CutAfter = 100_000 } : new Reply(200, Content).With("ETag", "W/\"weak\""));
        hub.ListsBlobs = false;
        await FailsAsync(hub, HubErrorKind.Network, options => options with { MaxAttempts = 1 });
        await PullAsync(hub);
        Assert.Null(hub.RequestsFor(File)[1].Header("Range"));
    }

    [Fact]
    public async Task BytesThatAreAllHereAreCheckedWithoutTheServer()
    {
        await using FakeHub hub = Hub((request, n, usual) => null);
        Leave(Content, new PartialNote(Content.Length, FakeHub.Sha256(Content), null));
        await PullAsync(hub);
        Assert.Empty(hub.RequestsFor(File));
    }

    [Theory]
    [InlineData(300_001, true)]
    [InlineData(300_000, false)]
    [InlineData(1000, false)]
    public async Task LeftoversThatDoNotBelongAreDropped(int length, bool belongs)
    {
        await using FakeHub hub = Hub((request, n, usual) => null);
        Leave(FakeHub.Bytes(length, seed: 3), new PartialNote(Content.Length, belongs ? FakeHub.Sha256(Content) : new string('0', 64), "\"old\""));
        await PullAsync(hub);
        Assert.Null(Assert.Single(hub.RequestsFor(File)).Header("Range"));
    }

    [Fact]
    public async Task LeftoversWithoutANoteAreDropped()
    {
        await using FakeHub hub = Hub((request, n, usual) => null);
        Leave(Content[..1000], null);
        await PullAsync(hub);
        Assert.Null(Assert.Single(hub.RequestsFor(File)).Header("Range"));
    }

    [Fact]
    public async Task AResumedDownloadIsCheckedAsAWhole()
    {
        byte[] damaged = Content[..100_000];
        damaged[50_000] ^= 1;
        await using FakeHub hub = Hub((request, n, usual) => null);
        Leave(damaged, new PartialNote(Content.Length, FakeHub.Sha256(Content), null));
        HubException e = await FailsAsync(hub, HubErrorKind.Corrupt);
        damaged = [.. damaged, .. Content[100_000..]];
        Assert.Equal($"file {File} of owner/name: expected SHA-256 {FakeHub.Sha256(Content)}, got {FakeHub.Sha256(damaged)}; the download is deleted, pull again", e.Message);
        Assert.False(System.IO.File.Exists(Partial));
        await PullAsync(hub);
    }

    [Fact]
    public async Task AWrongChecksumDeletesTheDownload()
    {
        byte[] wrong = [.. Content];
        wrong[^1] ^= 1;
        await using FakeHub hub = Hub((request, n, usual) => FakeHub.Serve(request, wrong, Tag(Content)));
        HubException e = await FailsAsync(hub, HubErrorKind.Corrupt);
        Assert.Contains(FakeHub.Sha256(Content), e.Message, StringComparison.Ordinal);
        Assert.Contains(FakeHub.Sha256(wrong), e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_cache.Files(), file => file.Contains(File, StringComparison.Ordinal));
        Assert.Single(hub.RequestsFor(File));
    }

    [Fact]
    public async Task AChecksumInTheHeadersCountsToo()
    {
        byte[] wrong = [.. Content];
        wrong[0] ^= 1;
        await using FakeHub hub = Hub((request, n, usual) => FakeHub.Serve(request, wrong, "\"t\"").With("X-Linked-Etag", $"\"{FakeHub.Sha256(Content)}\""));
        hub.ListsBlobs = false;
        await FailsAsync(hub, HubErrorKind.Corrupt);
        Assert.False(System.IO.File.Exists(Partial));
    }

    [Fact]
    public async Task TwoChecksumsAreAnErrorBeforeTheDownload()
    {
        await using FakeHub hub = Hub((request, n, usual) => usual.With("X-Linked-Etag", $"\"{new string('a', 64)}\""));
        Assert.Contains("X-Linked-Etag", (await FailsAsync(hub, HubErrorKind.Corrupt)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(299_999, "expected 300000 bytes, got 299999 (Content-Length of 127.0.0.1)")]
    [InlineData(300_001, "expected 300000 bytes, got 300001 (Content-Length of 127.0.0.1)")]
    public async Task AnAnnouncedLengthOtherThanTheListsIsAnError(int claimed, string message)
    {
        await using FakeHub hub = Hub((request, n, usual) => usual with { ClaimedLength = claimed });
        Assert.Contains(message, (await FailsAsync(hub, HubErrorKind.Corrupt)).Message, StringComparison.Ordinal);
        Assert.Single(hub.RequestsFor(File));
    }

    [Fact]
    public async Task ALinkedSizeOtherThanTheListsIsAnError()
    {
        await using FakeHub hub = Hub((request, n, usual) => usual.With("X-Linked-Size", "12"));
        Assert.Contains("expected 300000 bytes, got 12 (X-Linked-Size)", (await FailsAsync(hub, HubErrorKind.Corrupt)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MoreBytesThanListedAreAnError()
    {
        await using FakeHub hub = Hub((request, n, usual) => new Reply(200, [.. Content, 1]) { Chunked = true });
        Assert.Contains("expected 300000 bytes, got more", (await FailsAsync(hub, HubErrorKind.Corrupt)).Message, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(Partial));
    }

    [Fact]
    public async Task FewerBytesThanAnnouncedAreAnErrorInTheEnd()
    {
        // Says 300,000 and sends 200,000, again and again, whatever range is asked for.
        await using FakeHub hub = Hub((request, n, usual) => new Reply(200, Content[..200_000]) { ClaimedLength = 300_000 });
        await FailsAsync(hub, HubErrorKind.Network, options => options with { MaxAttempts = 3 });
        Assert.Equal(3, hub.RequestsFor(File).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnEarlyEndWithoutALengthIsNoticed(bool chunked)
    {
        await using FakeHub hub = Hub((request, n, usual) => n == 0 ? new Reply(200, Content[..1000]) { Chunked = chunked, WithoutLength = !chunked } : null);
        await PullAsync(hub);
        Assert.Equal(2, hub.RequestsFor(File).Count);
    }

    [Fact]
    public async Task AFileThatNobodyKnowsTheLengthOfIsRefused()
    {
        await using FakeHub hub = Hub((request, n, usual) => new Reply(200, Content) { WithoutLength = true });
        hub.ListsBlobs = false;
        Assert.Contains("expected a length", (await FailsAsync(hub, HubErrorKind.BadAnswer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFileInChunksNeedsNoLength()
    {
        await using FakeHub hub = Hub((request, n, usual) => new Reply(200, Content) { Chunked = true });
        hub.ListsBlobs = false;
        await PullAsync(hub);
    }

    [Fact]
    public async Task AnEmptyFileIsAFile()
    {
        await using var hub = new FakeHub((File, []));
        await PullAsync(hub, expected: []);
    }

    [Fact]
    public async Task ACompressedAnswerIsRefused()
    {
        await using FakeHub hub = Hub((request, n, usual) => usual.With("Content-Encoding", "gzip"));
        Assert.Contains("Content-Encoding gzip", (await FailsAsync(hub, HubErrorKind.BadAnswer)).Message, StringComparison.Ordinal);
        Assert.Equal("identity", hub.RequestsFor(File)[0].Header("Accept-Encoding"));
    }

    [Fact(Timeout = 60_000)]
    public async Task AStallEndsTheAttempt()
    {
        await using FakeHub hub = Hub((request, n, usual) => n == 0 ? usual with { StallAfter = 100_000 } : null);
        var recorder = new Recorder();
        await PullAsync(hub, recorder, options => options with { StallTimeout = TimeSpan.FromMilliseconds(500) });
        Assert.Contains("sent nothing for 0.5 s", recorder.Of(PullStage.Retrying).First().Note, StringComparison.Ordinal);
        Assert.Equal("bytes=100000-", hub.RequestsFor(File)[1].Header("Range"));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task ABusyServerIsAskedAgain(int status)
    {
        await using FakeHub hub = Hub((request, n, usual) => n < 2 ? new Reply(status, []).With("Retry-After", "0") : null);
        await PullAsync(hub);
        Assert.Equal(3, hub.RequestsFor(File).Count);
    }

    [Fact]
    public async Task RetryAfterIsHeeded()
    {
        await using FakeHub hub = Hub((request, n, usual) => n == 0 ? new Reply(429, []).With("Retry-After", "1") : null);
        var clock = Stopwatch.StartNew();
        await PullAsync(hub);
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(0.95), $"came back after {clock.Elapsed}");
    }

    [Theory]
    [InlineData("\"resolvers\";r=0;t=1", 2, 0.95)]
    [InlineData("t=soon", 2, 0)]
    [InlineData("\"api\";r=0;t=86400", 1, 0)]
    public async Task TheResetOfARateLimitIsHeeded(string limit, int requests, double seconds)
    {
        await using FakeHub hub = Hub((request, n, usual) => n == 0 ? new Reply(429, []).With("RateLimit", limit) : null);
        var clock = Stopwatch.StartNew();
        if (requests == 1)
        {
            Assert.Contains("asks to come back in 86400 s", (await FailsAsync(hub, HubErrorKind.Network)).Message, StringComparison.Ordinal);
        }
        else
        {
            await PullAsync(hub);
        }

        Assert.Equal(requests, hub.RequestsFor(File).Count);
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(seconds), $"came back after {clock.Elapsed}");
    }

    [Fact]
    public async Task ARetryAfterThatIsTooLongIsReported()
    {
        await using FakeHub hub = Hub((request, n, usual) => new Reply(429, []).With("Retry-After", "86400"));
        Assert.Contains("asks to come back in 86400 s", (await FailsAsync(hub, HubErrorKind.Network)).Message, StringComparison.Ordinal);
        Assert.Single(hub.RequestsFor(File));
    }

    [Fact]
    public async Task AttemptsAreBounded()
    {
        await using FakeHub hub = Hub((request, n, usual) => new Reply(500, []));
        HubException e = await FailsAsync(hub, HubErrorKind.Network);
        Assert.Equal($"file {File} of owner/name: 127.0.0.1 answered HTTP 500; given up after 5 attempts, the next pull goes on from there", e.Message);
        Assert.Equal(5, hub.RequestsFor(File).Count);
        Assert.False(System.IO.File.Exists(Partial));
    }

    [Fact]
    public async Task ProgressRenewsTheAttempts()
    {
        // Breaks every 1.2 MB: more often than the number of attempts, but each one moves on.
        byte[] large = FakeHub.Bytes(7_500_000);
        await using var hub = new FakeHub((File, large));
        hub.Intercept = request => FakeHub.IsFile(request, File) ? hub.Usual(request) with { CutAfter = 1_200_000 } : null;
        await PullAsync(hub, null, options => options with { MaxAttempts = 2 }, large);
        Assert.Equal(7, hub.RequestsFor(File).Count);
    }

    [Fact]
    public async Task ProgressThatIsLostAgainDoesNotRenewThem()
    {
        // Ignores ranges and breaks after 2 MB each time: the same ground again is no progress.
        byte[] large = FakeHub.Bytes(4_000_000);
        await using var hub = new FakeHub((File, large));
        hub.Intercept = request => FakeHub.IsFile(request, File) ? new Reply(200, large) { CutAfter = 2_000_000 } : null;
        await FailsAsync(hub, HubErrorKind.Network, options => options with { MaxAttempts = 3 });
        Assert.InRange(hub.RequestsFor(File).Count, 3, 5);
    }

    [Fact]
    public async Task ARefusedConnectionIsAClearError()
    {
        string address;
        await using (var gone = new LoopbackServer(_ => new Reply(200, []))) address = gone.Address;
        await using FakeHub hub = Hub((request, n, usual) => null);
        HubException e = await FailsAsync(hub, HubErrorKind.Network, options => options with { Endpoint = address, MaxAttempts = 2 });
        Assert.StartsWith("model owner/name: the connection to 127.0.0.1 failed (", e.Message, StringComparison.Ordinal);
    }

    private static string Tag(byte[] content) => $"\"{FakeHub.Sha256(content)[..16]}\"";

    /// <summary>A hub with one file; <paramref name="answer"/> is given the request, how many there were before, and the usual answer.</summary>
    private static FakeHub Hub(Func<Request, int, Reply, Reply?> answer)
    {
        var hub = new FakeHub((File, Content));
        int count = -1;
        hub.Intercept = request => FakeHub.IsFile(request, File) ? answer(request, Interlocked.Increment(ref count), hub.Usual(request)) : null;
        return hub;
    }

    private void Leave(byte[] bytes, PartialNote? note)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Partial)!);
        System.IO.File.WriteAllBytes(Partial, bytes);
        if (note is not null) System.IO.File.WriteAllBytes(Partial + ".json", note.Write());
    }

    private async Task PullAsync(FakeHub hub, Recorder? recorder = null, Func<HubOptions, HubOptions>? change = null, byte[]? expected = null)
    {
        using HubClient client = hub.Client(_cache, change);
        ModelFiles files = await client.PullAsync(Name, recorder, TestContext.Current.CancellationToken);
        Assert.Equal(Final, files.Path);
        Assert.Equal(expected ?? Content, System.IO.File.ReadAllBytes(files.Path));
        Assert.False(System.IO.File.Exists(Partial) || System.IO.File.Exists(Partial + ".json"));
    }

    private async Task<HubException> FailsAsync(FakeHub hub, HubErrorKind kind, Func<HubOptions, HubOptions>? change = null)
    {
        using HubClient client = hub.Client(_cache, change);
        HubException e = await Assert.ThrowsAsync<HubException>(() => client.PullAsync(Name, null, TestContext.Current.CancellationToken));
        Assert.Equal(kind, e.Kind);
        Assert.False(System.IO.File.Exists(Final));
        Assert.False(client.Cache.TryFind(Name, out _));
        return e;
    }
}
