using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Puna.Server.Tests.Browser;

/// <summary>The page of a running server in a browser, and everything that it asked for or complained about.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly ConcurrentQueue<string> _requests = new();

    private OpenPage(IBrowserContext context, IPage page) => (_context, Page) = (context, page);

    public IPage Page { get; }

    /// <summary>Errors of scripts and warnings of the browser, such as what the content security policy forbade.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Every address asked for.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    public ILocator Input => Page.Locator("#input");

    public ILocator Messages => Page.Locator(".msg");

    /// <summary>Texts of the replies, without names and buttons.</summary>
    public ILocator Replies => Page.Locator(".msg.assistant .body");

    public static async Task<OpenPage> AtAsync(Chromium chromium, RunningServer server, BrowserNewContextOptions? options = null)
    {
        IBrowserContext context = await chromium.NewAsync(options);
        var open = new OpenPage(context, await context.NewPageAsync());
        open.Page.Console += (_, m) =>
        {
            if (m.Type is "error" or "warning")
            {
                open._complaints.Enqueue(m.Text);
            }
        };
        open.Page.PageError += (_, error) => open._complaints.Enqueue(error);
        open.Page.Request += (_, request) => open._requests.Enqueue(request.Url);
        await open.Page.GotoAsync(server.Server.Address + "/");
        return open;
    }

    /// <summary>Answers the page's next questions in the server's place.</summary>
    /// <param name="deltas">What the choice's <c>delta</c> is in each event.</param>
    public async Task AnswerAsync(params string[] deltas)
    {
        string events = string.Concat(deltas.Select(static d => $$"""data: {"choices":[{"index":0,"delta":{{d}}}]}""" + "\n\n")) + "data: [DONE]\n\n";
        await Page.RouteAsync("**/v1/chat/completions", route => route.FulfillAsync(new() { Status = 200, ContentType = "text/event-stream", Body = events }));
    }

    /// <summary>Lets the page believe in other models than the server's.</summary>
    public async Task HaveModelsAsync(params (string Id, bool Sees)[] models)
    {
        string list = string.Join(',', models.Select(static m => $$"""{"id":"{{m.Id}}","input_modalities":[{{(m.Sees ? "\"text\",\"image\"" : "\"text\"")}}]}"""));
        await Page.RouteAsync("**/v1/models", route => route.FulfillAsync(new() { Status = 200, ContentType = "application/json", Body = $$"""{"data":[{{list}}]}""" }));
        await Page.ReloadAsync();
        await Page.Locator("#model option").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
    }

    /// <summary>Sends a message by the keyboard.</summary>
    public async Task SendAsync(string text)
    {
        await Input.FillAsync(text);
        await Input.PressAsync("Enter");
    }

    /// <summary>Waits until nothing is being generated.</summary>
    public async Task EndAsync() => await Page.Locator("#send").WaitForAsync(new() { State = WaitForSelectorState.Visible });

    /// <summary>Sends a message and waits for the whole reply.</summary>
    /// <returns>The text of the reply.</returns>
    public async Task<string> AskAsync(string text)
    {
        int before = await Messages.CountAsync();
        await SendAsync(text);
        await Messages.Nth(before + 1).WaitForAsync();
        await EndAsync();
        return await Replies.Last.InnerTextAsync();
    }

    /// <summary>Keeps a picture of the screen where <c>PUNA_SCREENSHOTS</c> names a folder.</summary>
    public async Task ShootAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("PUNA_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png") });
        }
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
