using Puna.Tensors;

namespace Puna.Hub.Tests;

public class HubCacheTests
{
    [Fact]
    public void AnEmptyCacheIsEmpty()
    {
        using var folder = new TempFolder();
        var cache = new HubCache(folder.File("not", "there"));
        Assert.Empty(cache.List());
        Assert.False(cache.TryFind(ModelReference.Parse("owner/name"), out ModelFiles? files));
        Assert.Null(files);
        HubException e = Assert.Throws<HubException>(() => cache.Remove("owner/name"));
        Assert.Equal(HubErrorKind.NotFound, e.Kind);
        Assert.Empty(folder.Files());
    }

    [Fact]
    public async Task ListsWhatWasPulled()
    {
        await using var hub = new FakeHub(("a.gguf", FakeHub.Bytes(1000)), ("sub/b.gguf", FakeHub.Bytes(500)));
        using var folder = new TempFolder();
        using HubClient client = hub.Client(folder);
        DateTime before = DateTime.UtcNow.AddSeconds(-2);
        await Pull(client, "owner/name:a.gguf");
        await Pull(client, "owner/name@v1:sub/b.gguf");

        CachedModel model = Assert.Single(client.Cache.List());
        Assert.Equal(("owner/name", "main, v1", FakeHub.Commit, 1500L, 0L), (model.Name, model.Revision, model.Commit, model.Bytes, model.PartialBytes));
        Assert.Equal(["a.gguf", "sub/b.gguf"], model.Files);
        Assert.InRange(model.LastUsed, before, DateTime.UtcNow.AddSeconds(2));
    }

    [Fact]
    public async Task UsingAModelIsNoted()
    {
        await using var hub = new FakeHub(("a.gguf", FakeHub.Bytes(1000)));
        using var folder = new TempFolder();
        using HubClient client = hub.Client(folder);
        await Pull(client, "owner/name");
        var old = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(folder.File("models", "owner", "name", "listings", FakeHub.Commit + ".json"), old);
        Assert.Equal(old, Assert.Single(client.Cache.List()).LastUsed);
        Assert.True(client.Cache.TryFind(ModelReference.Parse("owner/name"), out _));
        Assert.True(Assert.Single(client.Cache.List()).LastUsed > old);
    }

    [Fact]
    public async Task UnfinishedDownloadsAreListedAsSuch()
    {
        await using var hub = new FakeHub(("a.gguf", FakeHub.Bytes(1000)));
        hub.Intercept = request => FakeHub.IsFile(request, "a.gguf") ? hub.Usual(request) with { CutAfter = 400 } : null;
        using var folder = new TempFolder();
        using HubClient client = hub.Client(folder, options => options with { MaxAttempts = 1 });
        await Assert.ThrowsAsync<HubException>(() => Pull(client, "owner/name"));
        CachedModel model = Assert.Single(client.Cache.List());
        Assert.Equal((0L, 400L, FakeHub.Commit), (model.Bytes, model.PartialBytes, model.Revision));
        Assert.Empty(model.Files);
        Assert.InRange(client.Cache.Remove("owner/name"), 400, 1000);
        Assert.Empty(client.Cache.List());
    }

    [Fact]
    public async Task AFileOfAnotherLengthIsNotFound()
    {
        await using var hub = new FakeHub(("a.gguf", FakeHub.Bytes(1000)));
        using var folder = new TempFolder();
        using HubClient client = hub.Client(folder);
        ModelFiles files = await Pull(client, "owner/name");
        File.WriteAllBytes(files.Path, new byte[999]);
        Assert.False(client.Cache.TryFind(ModelReference.Parse("owner/name"), out _));
        await Pull(client, "owner/name");
        Assert.Equal(FakeHub.Bytes(1000), File.ReadAllBytes(files.Path));
    }

    [Theory]
    [InlineData("refs.json")]
    [InlineData("listings/" + FakeHub.Commit + ".json")]
    public async Task DamagedNotesMakeAModelUnknownNotDangerous(string path)
    {
        await using var hub = new FakeHub(("a.gguf", FakeHub.Bytes(1000)));
        using var folder = new TempFolder();
        using HubClient client = hub.Client(folder);
        ModelFiles files = await Pull(client, "owner/name");
        foreach (string content in (string[])["", "{", "[1]", """{"main":"../../../x"}""", """{"sha":"0123456789","siblings":[{"rfilename":"a.gguf"}]}"""])
        {
            File.WriteAllText(folder.File("models", "owner", "name", path), content);
            Assert.False(client.Cache.TryFind(ModelReference.Parse("owner/name"), out _));
            Assert.Single(client.Cache.List());
        }

        Assert.Equal(files.Path, (await Pull(client, "owner/name")).Path);
        Assert.True(client.Cache.TryFind(ModelReference.Parse("owner/name"), out _));
        Assert.Single(hub.RequestsFor("a.gguf"));
    }

    [Fact]
    public async Task RemovesAModelAndNothingElse()
    {
        await using var hub = new FakeHub(("a.gguf", FakeHub.Bytes(1000)));
        using var folder = new TempFolder();
        using HubClient client = hub.Client(folder);
        await Pull(client, "owner/name");
        Directory.CreateDirectory(folder.File("models", "owner", "other", "snapshots", FakeHub.Commit));
        File.WriteAllText(folder.File("models", "owner", "other", "snapshots", FakeHub.Commit, "x.gguf"), "x");

        Assert.Equal(1000, client.Cache.Remove("owner/name"));

        Assert.Equal("owner/other", Assert.Single(client.Cache.List()).Name);
        Assert.False(Directory.Exists(folder.File("models", "owner", "name")));
        Assert.Equal(1, client.Cache.Remove("owner/other"));
        Assert.False(Directory.Exists(folder.File("models", "owner")));
    }

    [Fact]
    public async Task RemovesARevision()
    {
        await using var hub = new FakeHub(("a.gguf", FakeHub.Bytes(1000)));
        using var folder = new TempFolder();
        using HubClient client = hub.Client(folder), refresh = hub.Client(folder, options => options with { Refresh = true });
        await Pull(client, "owner/name");
        await Pull(client, "owner/name@v1");
        hub.Head = "fedcba9876543210fedcba9876543210fedcba98";
        hub.Files["a.gguf"] = FakeHub.Bytes(700);
        await Pull(refresh, "owner/name");
        Assert.Equal(["main", "v1"], client.Cache.List().Select(model => model.Revision).Order(StringComparer.Ordinal));

        Assert.Equal(1000, client.Cache.Remove("owner/name@v1"));
        Assert.Equal("main", Assert.Single(client.Cache.List()).Revision);
        Assert.Throws<HubException>(() => client.Cache.Remove("owner/name@v1"));
        Assert.Equal(700, client.Cache.Remove("owner/name@" + hub.Head));
        Assert.Empty(client.Cache.List());
    }

    [Fact]
    public async Task RemovesAFileWithAllItsParts()
    {
        await using var hub = new FakeHub(("m-00001-of-00002.gguf", FakeHub.Bytes(10)), ("m-00002-of-00002.gguf", FakeHub.Bytes(20)), ("o.gguf", FakeHub.Bytes(5)));
        using var folder = new TempFolder();
        using HubClient client = hub.Client(folder);
        await Pull(client, "owner/name:m-00001-of-00002.gguf");
        await Pull(client, "owner/name:o.gguf");
        Assert.Equal(30, client.Cache.Remove("owner/name:m-00002-of-00002.gguf"));
        Assert.Equal(["o.gguf"], Assert.Single(client.Cache.List()).Files);
        Assert.Throws<HubException>(() => client.Cache.Remove("owner/name:m-00001-of-00002.gguf"));
        Assert.Equal(5, client.Cache.Remove("owner/name:o.gguf"));
        Assert.Empty(client.Cache.List());
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../..")]
    [InlineData("owner")]
    [InlineData("owner/name:../../x")]
    public void RemovesNothingByABadName(string name)
    {
        using var folder = new TempFolder();
        Assert.Throws<PunaException>(() => new HubCache(folder.File("cache")).Remove(name));
    }

    [Fact]
    public async Task AModelBeingPulledIsNotRemoved()
    {
        await using var hub = new FakeHub(("a.gguf", FakeHub.Bytes(1000)));
        using var folder = new TempFolder();
        using HubClient client = hub.Client(folder);
        await Pull(client, "owner/name");
        using (CacheLock.Take(new CacheLayout(folder, "owner", "name").Lock, "test"))
        {
            Assert.Equal(HubErrorKind.Busy, Assert.Throws<HubException>(() => client.Cache.Remove("owner/name")).Kind);
        }

        Assert.Equal(1000, client.Cache.Remove("owner/name"));
    }

    [Fact]
    public void StrangersInTheFolderAreIgnored()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("models", "owner", "name", "snapshots", "not a commit"));
        Directory.CreateDirectory(folder.File("models", ".hidden", "x", "snapshots", FakeHub.Commit));
        File.WriteAllText(folder.File("models", "file"), "");
        Assert.Empty(new HubCache(folder).List());
    }

    private static Task<ModelFiles> Pull(HubClient client, string name) => client.PullAsync(ModelReference.Parse(name), null, TestContext.Current.CancellationToken);
}
