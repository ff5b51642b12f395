using Puna.Tensors;

namespace Puna.Hub.Tests;

public class HubSettingsTests
{
    [Fact]
    public void HasDefaults()
    {
        using var home = new TempFolder();
        HubSettings settings = Resolve(new HubOptions(), home);
        Assert.Equal("https://huggingface.co/", settings.Endpoint.AbsoluteUri);
        Assert.Null(settings.Token);
        Assert.False(settings.Offline);
        string expected = OperatingSystem.IsWindows() ? home.File("AppData", "Local", "puna") : OperatingSystem.IsMacOS() ? home.File("Library", "Caches", "puna") : home.File(".cache", "puna");
        Assert.Equal(expected, settings.CacheFolder);
    }

    [Fact]
    public void EndpointComesFromOptionThenOwnThenCommonVariable()
    {
        using var home = new TempFolder();
        (string, string) own = ("PUNA_HUB", "http://own:81/hf/"), common = ("HF_ENDPOINT", "https://common");
        Assert.Equal("http://option/", Resolve(new HubOptions { Endpoint = "http://option" }, home, own, common).Endpoint.AbsoluteUri);
        Assert.Equal("http://own:81/hf", Resolve(new HubOptions(), home, own, common).Endpoint.AbsoluteUri);
        Assert.Equal("https://common/", Resolve(new HubOptions(), home, common, ("PUNA_HUB", "")).Endpoint.AbsoluteUri);
    }

    [Theory]
    [InlineData("huggingface.co")]
    [InlineData("ftp://host")]
    [InlineData("file:///etc")]
    [InlineData("https://user:secret@host")]
    [InlineData("https://host/?x=secret")]
    [InlineData("https://host/#secret")]
    public void RefusesOtherEndpointsWithoutRepeatingThem(string endpoint)
    {
        using var home = new TempFolder();
        string message = Assert.Throws<PunaException>(() => Resolve(new HubOptions { Endpoint = endpoint }, home)).Message;
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [Fact]
    public void TokenComesFromOptionThenVariableThenFile()
    {
        using var home = new TempFolder();
        Directory.CreateDirectory(home.File(".cache", "huggingface"));
        File.WriteAllText(home.File(".cache", "huggingface", "token"), "hf_home\n");
        Directory.CreateDirectory(home.File("hf"));
        File.WriteAllText(home.File("hf", "token"), " hf_other ");
        Assert.Equal("hf_option", Resolve(new HubOptions { Token = "hf_option" }, home, ("HF_TOKEN", "hf_variable")).Token);
        Assert.Equal("hf_variable", Resolve(new HubOptions(), home, ("HF_TOKEN", "hf_variable")).Token);
        Assert.Equal("hf_home", Resolve(new HubOptions(), home, ("HF_TOKEN", "")).Token);
        Assert.Equal("hf_other", Resolve(new HubOptions(), home, ("HF_HOME", home.File("hf"))).Token);
        Directory.CreateDirectory(home.File("xdg", "huggingface"));
        File.WriteAllText(home.File("xdg", "huggingface", "token"), "hf_xdg");
        Assert.Equal("hf_xdg", Resolve(new HubOptions(), home, ("XDG_CACHE_HOME", home.File("xdg"))).Token);
        Assert.Equal("hf_other", Resolve(new HubOptions(), home, ("HF_TOKEN_PATH", home.File("hf", "token")), ("HF_HOME", home.File("none"))).Token);
        Assert.Null(Resolve(new HubOptions { Token = "" }, home).Token);
    }

    [Fact]
    public void TheTokenIsNotInTheText() => Assert.DoesNotContain("secret", new HubOptions { Token = "secret", Endpoint = "https://x" }.ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("hf_a\r\nX-Evil: 1")]
    [InlineData("hf a")]
    [InlineData("hf_ä")]
    public void RefusesTokensThatAreNoHeaderWithoutRepeatingThem(string token)
    {
        using var home = new TempFolder();
        Assert.DoesNotContain("hf", Assert.Throws<PunaException>(() => Resolve(new HubOptions { Token = token }, home)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CacheComesFromOptionThenVariableThenSystem()
    {
        using var home = new TempFolder();
        Assert.Equal(home.File("o"), Resolve(new HubOptions { CacheFolder = home.File("o") }, home, ("PUNA_CACHE", home.File("v"))).CacheFolder);
        Assert.Equal(home.File("v"), Resolve(new HubOptions(), home, ("PUNA_CACHE", home.File("v")), ("XDG_CACHE_HOME", home.File("x"))).CacheFolder);
        Assert.Equal(Path.GetFullPath("relative"), Resolve(new HubOptions { CacheFolder = "relative" }, home).CacheFolder);
        if (OperatingSystem.IsWindows() || OperatingSystem.IsMacOS()) return;
        Assert.Equal(home.File("x", "puna"), Resolve(new HubOptions(), home, ("XDG_CACHE_HOME", home.File("x"))).CacheFolder);
        Assert.Equal(home.File(".cache", "puna"), Resolve(new HubOptions(), home, ("XDG_CACHE_HOME", "relative")).CacheFolder);
    }

    [Theory]
    [InlineData("PUNA_OFFLINE", "1", true)]
    [InlineData("PUNA_OFFLINE", "True", true)]
    [InlineData("PUNA_OFFLINE", "0", false)]
    [InlineData("PUNA_OFFLINE", "", false)]
    [InlineData("HF_HUB_OFFLINE", "1", true)]
    [InlineData("HF_HUB_OFFLINE", "yes", true)]
    public void OfflineComesFromVariables(string name, string value, bool expected)
    {
        using var home = new TempFolder();
        Assert.Equal(expected, Resolve(new HubOptions(), home, (name, value)).Offline);
        Assert.False(Resolve(new HubOptions { Offline = false }, home, (name, value)).Offline);
    }

    [Fact]
    public void ChecksNumbers()
    {
        using var home = new TempFolder();
        Assert.Throws<PunaException>(() => Resolve(new HubOptions { MaxAttempts = 0 }, home));
        Assert.Throws<PunaException>(() => Resolve(new HubOptions { StallTimeout = TimeSpan.Zero }, home));
        Assert.Throws<PunaException>(() => Resolve(new HubOptions { RetryDelay = TimeSpan.FromSeconds(-1) }, home));
        Assert.Throws<PunaException>(() => Resolve(new HubOptions { MaxRetryDelay = TimeSpan.MaxValue }, home));
    }

    private static HubSettings Resolve(HubOptions options, TempFolder home, params (string Name, string Value)[] environment) =>
        HubSettings.Resolve(options, name => environment.FirstOrDefault(entry => entry.Name == name).Value, home);
}
