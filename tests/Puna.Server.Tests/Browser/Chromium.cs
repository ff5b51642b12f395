using Microsoft.Playwright;

namespace Puna.Server.Tests.Browser;

/// <summary>A real Chromium, shared by the tests of a class. Where there is none, they are skipped.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"];

    private static readonly string? Program = Places.Prepend(Environment.GetEnvironmentVariable("PUNA_CHROMIUM") ?? "").FirstOrDefault(File.Exists);

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (Program is null)
        {
            return;
        }

        _playwright = await Playwright.CreateAsync();

        // Chromium refuses to run as root with its sandbox.
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = Environment.UserName == "root" ? ["--no-sandbox"] : [] });
    }

    /// <summary>An empty browser: nothing kept from other tests.</summary>
    internal async Task<IBrowserContext> NewAsync(BrowserNewContextOptions? options = null)
    {
        Assert.SkipWhen(_browser is null, "needs Chromium (or PUNA_CHROMIUM, its path)");
        IBrowserContext context = await _browser.NewContextAsync(options);
        context.SetDefaultTimeout(30_000);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }
}
