using System.Text.Json;
using Puna.Hub.Tests;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

/// <summary><c>pull</c>, <c>list</c>, <c>rm</c>, and commands that are given a name of the hub, against a hub on this machine.</summary>
public sealed class HubCommandTests : IAsyncDisposable
{
    private readonly TempFolder _cache = new();
    private readonly FakeHub _hub = new(("model.gguf", ReadModel()), ("other.gguf", FakeHub.Bytes(3000)));

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        _cache.Dispose();
    }

    [Fact]
    public void AModelComesAndGoes()
    {
        PunaProcess pull = Run("pull", "owner/name:model.gguf", "--json");
        Assert.Equal((0, ""), (pull.Code, pull.Error));
        JsonElement json = JsonDocument.Parse(pull.Out).RootElement;
        Assert.Equal(FakeHub.Commit, json.GetProperty("commit").GetString());
        Assert.Equal(ReadModel(), File.ReadAllBytes(json.GetProperty("path").GetString()!));

        // Now it is here, and the network is not needed.
        int requests = _hub.Requests.Count;
        PunaProcess run = Run("run", "--model", "owner/name:model.gguf", "Once upon a time", "--temperature", "0", "--max-tokens", "4");
        Assert.Equal((0, "Once upon a time, there was a\n", ""), (run.Code, run.Out, run.Error));
        Assert.Equal(requests, _hub.Requests.Count);

        Assert.Matches(@"puna-tiny +embedded(.|\n)*owner/name +main +3\.65 MB.*model\.gguf", Run("list").Out);
        Assert.Contains(JsonDocument.Parse(Run("list", "--json").Out).RootElement.EnumerateArray(), static m => m.GetProperty("name").GetString() == "owner/name");
        Assert.Equal("removed owner/name, 3.65 MB freed\n", Run("rm", "owner/name").Out);
        Run("rm", "owner/name").AssertFailed(2);
        Assert.DoesNotContain("owner/name", Run("list").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void FailuresAreOneLine()
    {
        Run("pull", "owner/name:none.gguf").AssertFailed(2);
        Run("pull", "not a name").AssertFailed(2);
        Run("pull", "owner/name:model.gguf", "--offline").AssertFailed(2);
        PunaProcess mistyped = Run("inspect", "no/such");
        mistyped.AssertFailed(2);
        Assert.Contains("no file or folder no/such here", mistyped.Error, StringComparison.Ordinal);

        // A wrong checksum is the hub's failure, not the user's.
        _hub.Intercept = request => FakeHub.IsFile(request, "other.gguf") ? FakeHub.Serve(request, FakeHub.Bytes(3000, seed: 2), "\"x\"") : null;
        Run("pull", "owner/name:other.gguf").AssertFailed(1);
        Assert.DoesNotContain(_cache.Files(), static file => file.EndsWith("other.gguf", StringComparison.Ordinal));
    }

    [Fact]
    public void TheEmbeddedModelStays() =>
        CliRun.Of("rm", "puna-tiny").AssertRefused("model puna-tiny: expected a model of the cache, got an embedded one, which is part of this program");

    private PunaProcess Run(params string[] args) => PunaProcess.Run(args, null, new Dictionary<string, string>
    {
        ["PUNA_HUB"] = _hub.Address,
        ["PUNA_CACHE"] = _cache,
        ["HF_TOKEN"] = "",
        ["PUNA_OFFLINE"] = "0",
    });

    private static byte[] ReadModel() => File.ReadAllBytes(TestFiles.TrainedTiny);
}
