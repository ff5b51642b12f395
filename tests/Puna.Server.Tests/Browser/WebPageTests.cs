using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Puna.Server.Tests.Browser;

/// <summary>The page at <c>/</c>, used as its users do, in a real browser, against the embedded model.</summary>
public sealed class WebPageTests(Chromium chromium) : IClassFixture<Chromium>
{
    // The smallest picture there is: one transparent pixel.
    private static readonly byte[] Pixel = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    private static readonly string[] FirstQuestion = ["What is a herder?"];

    [Fact]
    public async Task AMessageIsAnsweredAndNothingLeavesTheServer()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);
        Assert.Equal("input", await page.Page.EvaluateAsync<string>("document.activeElement.id"));
        string reply = await page.AskAsync("What is a llama?");
        Assert.True(reply.Length > 3, reply);
        Assert.Equal(2, await page.Messages.CountAsync());
        Assert.Matches("^[0-9]+ tokens, [0-9.]+/s, first after [0-9]+ ms$", await page.Page.Locator("#speed").InnerTextAsync());
        Assert.Equal(["puna-tiny", "default"], await page.Page.Locator("#model option").AllInnerTextsAsync());
        Assert.All(page.Requests, url => Assert.True(url.StartsWith(server.Server.Address + "/", StringComparison.Ordinal) || url == "data:,", url));
        Assert.Empty(page.Complaints);
        await page.ShootAsync("chat-light");
    }

    [Fact]
    public async Task ConversationsAreKeptByTheBrowserAndCanBeDeleted()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);
        string first = await page.AskAsync("What is a herder?");
        await page.Page.Keyboard.PressAsync("Control+Shift+O");
        Assert.Equal(0, await page.Messages.CountAsync());
        await page.AskAsync("Tell me about the lake.");
        await page.Page.ReloadAsync();
        ILocator list = page.Page.Locator("#list div button:first-child");
        Assert.Equal(["Tell me about the lake.", "What is a herder?"], await list.AllInnerTextsAsync());
        await list.Nth(1).ClickAsync();
        Assert.Equal(first, await page.Replies.Last.InnerTextAsync());
        await page.Page.Locator("#list .del").First.ClickAsync();
        Assert.Equal(FirstQuestion, await list.AllInnerTextsAsync());
        await page.Page.ReloadAsync();
        Assert.Equal(FirstQuestion, await list.AllInnerTextsAsync());
    }

    [Fact]
    public async Task SettingsGoWithTheRequestAndAreKept()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);
        await page.Page.Locator("#settings summary").ClickAsync();
        foreach ((string id, string value) in ((string, string)[])[("system", "Be short."), ("temperature", "0"), ("top_p", "0.5"), ("max_tokens", "7"), ("seed", "3")])
        {
            await page.Page.Locator("#" + id).FillAsync(value);
        }

        // Leaving a field is what makes its value count.
        await page.Input.FocusAsync();
        for (int i = 0; i < 2; i++)
        {
            IRequest request = await page.Page.RunAndWaitForRequestAsync(() => page.SendAsync("What is a llama?"), r => r.Url.EndsWith("/v1/chat/completions", StringComparison.Ordinal));
            await page.EndAsync();
            JsonObject body = JsonNode.Parse(request.PostData!)!.AsObject();
            Assert.Equal("""{"role":"system","content":"Be short."}""", body["messages"]![0]!.ToJsonString());
            Assert.Equal("0 0.5 7 3", string.Join(' ', new[] { "temperature", "top_p", "max_tokens", "seed" }.Select(n => body[n]!.ToJsonString())));
            Assert.StartsWith("7 tokens", await page.Page.Locator("#speed").InnerTextAsync(), StringComparison.Ordinal);
            await page.Page.ReloadAsync();
            Assert.Equal("7", await page.Page.Locator("#max_tokens").InputValueAsync());
        }
    }

    [Fact]
    public async Task StopEndsAReplyAndRegenerateMakesAnother()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);

        // Others keep the engine busy, so that there is time to stop.
        using var busy = new CancellationTokenSource();
        Task[] others = [.. Enumerable.Range(0, 60).Select(_ => server.Http.PostAsync("/v1/completions", new StringContent("""{"model":"default","prompt":"The","max_tokens":450,"ignore_eos":true}""", System.Text.Encoding.UTF8, "application/json"), busy.Token))];
        await page.SendAsync("Tell me a long story about a llama.");
        await page.Page.Locator("#stop").ClickAsync();
        await page.EndAsync();
        await busy.CancelAsync();
        await Task.WhenAll(others).ContinueWith(static _ => { }, TaskScheduler.Default);
        Assert.Equal(0, await page.Page.Locator(".error").CountAsync());

        string[] metrics = [];
        for (int i = 0; i < 100 && !metrics.Any(static l => l.EndsWith(" 0", StringComparison.Ordinal)); i++)
        {
            // What was stopped was given up by the server too: nothing is left running.
            metrics = [.. (await server.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken)).Split('\n').Where(static l => l.StartsWith("vllm:num_requests_running{", StringComparison.Ordinal))];
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        Assert.EndsWith(" 0", Assert.Single(metrics), StringComparison.Ordinal);
        await page.Page.GetByText("Regenerate").Last.ClickAsync();
        await page.EndAsync();
        Assert.Equal(2, await page.Messages.CountAsync());
        Assert.True((await page.Replies.Last.InnerTextAsync()).Length > 3);
    }

    [Fact]
    public async Task EscapeStops()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.Page.RouteAsync("**/v1/chat/completions", _ => { asked.SetResult(); return Task.CompletedTask; });
        await page.SendAsync("Hello?");
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await page.Page.Keyboard.PressAsync("Escape");
        await page.EndAsync();
    }

    [Fact]
    public async Task ProbabilitiesOfTokensAreShownOnHover()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);
        await page.Page.Locator("#settings summary").ClickAsync();
        await page.Page.Locator("#logprobs").CheckAsync();
        string reply = await page.AskAsync("What is a llama?");
        IReadOnlyList<string> titles = await page.Page.Locator(".tok").EvaluateAllAsync<string[]>("all => all.map(e => e.title)");
        Assert.True(titles.Count > 3, reply);

        // Its own share, and five that were likely, the likeliest first.
        foreach (string title in titles)
        {
            string[] lines = title.Split('\n');
            Assert.Matches("^[0-9]+[.][0-9] %$", lines[0]);
            double[] shares = [.. lines[1..].Select(static l => double.Parse(l.Split(' ')[^2], CultureInfo.InvariantCulture))];
            Assert.Equal(5, shares.Length);
            Assert.Equal(shares.OrderDescending(), shares);
        }

        Assert.Equal(string.Concat(await page.Page.Locator(".tok").AllTextContentsAsync()).Trim(), (await page.Replies.Last.TextContentAsync())!.Trim());
        await page.ShootAsync("probabilities");
    }

    [Fact]
    public async Task AKeyIsAskedForWhereOneIsSet()
    {
        await using RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { ApiKeys = ["secret"] });
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);
        await page.Page.Locator("#askkey").FillAsync("wrong");
        await page.Page.Locator("#askkey").PressAsync("Enter");
        await page.Page.Locator("#askkey").WaitForAsync();
        await page.Page.Locator("#askkey").FillAsync("secret");
        await page.ShootAsync("key");
        await page.Page.Locator("#askkey").PressAsync("Enter");
        await page.Page.Locator("#model option").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
        Assert.True((await page.AskAsync("What is a llama?")).Length > 3);
    }

    [Fact]
    public async Task ToolCallsAndErrorsAreShown()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);
        await page.AnswerAsync("""{"role":"assistant","tool_calls":[{"index":0,"function":{"name":"weather","arguments":"{\"place\":"}}]}""", """{"tool_calls":[{"index":0,"function":{"arguments":"\"Puno\"}"}}]}""");
        await page.AskAsync("What is the weather in Puno?");
        Assert.Equal("""weather({"place":"Puno"})""", await page.Page.Locator(".call").InnerTextAsync());
        await page.ShootAsync("tool-call");
        await page.Page.UnrouteAllAsync();
        await page.AskAsync(string.Join(' ', Enumerable.Repeat("a very long question", 300)));
        Assert.Contains("context", await page.Page.Locator(".error").InnerTextAsync(), StringComparison.Ordinal);

        // What was refused is still there to be read, and the next message is answered all the same.
        await page.Page.Keyboard.PressAsync("Control+Shift+O");
        Assert.True((await page.AskAsync("What is a llama?")).Length > 3);
    }

    [Fact]
    public async Task WhatAModelWritesIsNeverMarkup()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);
        await page.AnswerAsync("""{"content":"<img src=x onerror=alert(1)> **bold** `code` [ok](https://example.org/a) [bad](javascript:alert(1))\n\n```html\n<script>alert(2)</script>\n```\n- one\n- two"}""");
        string text = await page.AskAsync("Hello?");
        Assert.Contains("<img src=x onerror=alert(1)>", text, StringComparison.Ordinal);
        Assert.Contains("[bad](javascript:alert(1))", text, StringComparison.Ordinal);
        Assert.Equal(0, await page.Replies.Locator("img, script").CountAsync());
        Assert.Equal("<script>alert(2)</script>", await page.Replies.Locator("pre code").InnerTextAsync());
        Assert.Equal("bold", await page.Replies.Locator("strong").InnerTextAsync());
        Assert.Equal("https://example.org/a", await page.Replies.Locator("a").GetAttributeAsync("href"));
        Assert.Equal(2, await page.Replies.Locator("li").CountAsync());
        Assert.Empty(page.Complaints);
        await page.ShootAsync("markdown");
    }

    [Fact]
    public async Task APictureIsShownBeforeItIsSentAndCanBeTakenBack()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);
        await page.HaveModelsAsync(("sees", true), ("blind", false));
        await page.AnswerAsync("""{"content":"A pixel."}""");
        FilePayload file = new() { Name = "a.png", MimeType = "image/png", Buffer = Pixel };
        await page.Page.Locator("#file").SetInputFilesAsync(file);
        await page.Page.Locator("#images .thumb").ClickAsync();
        Assert.Equal(0, await page.Page.Locator("#images .thumb").CountAsync());
        await page.Page.Locator("#file").SetInputFilesAsync(file);
        await page.Page.Locator("#images .thumb").WaitForAsync();
        await page.Page.Locator("#model").SelectOptionAsync("blind");
        await page.SendAsync("What is this?");
        await page.Page.GetByText("blind does not see pictures.").WaitForAsync();
        Assert.Equal(0, await page.Messages.CountAsync());
        await page.Page.Locator("#model").SelectOptionAsync("sees");
        Assert.Equal("", await page.Page.Locator("#note").InnerTextAsync());
        IRequest request = await page.Page.RunAndWaitForRequestAsync(() => page.SendAsync("What is this?"), r => r.Url.EndsWith("/v1/chat/completions", StringComparison.Ordinal));
        JsonArray parts = JsonNode.Parse(request.PostData!)!["messages"]![0]!["content"]!.AsArray();
        Assert.Equal("data:image/png;base64," + Convert.ToBase64String(Pixel), parts[0]!["image_url"]!["url"]!.GetValue<string>());
        Assert.Equal("What is this?", parts[1]!["text"]!.GetValue<string>());
        await page.EndAsync();
        Assert.Equal(1, await page.Page.Locator(".msg.user img").CountAsync());
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task AModelThatDoesNotSeeIsNotSentAPicture()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server);
        await page.Page.Locator("#model option").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
        Assert.True(await page.Page.Locator("#pick").IsDisabledAsync());
        await page.Page.Locator("#file").SetInputFilesAsync(new FilePayload { Name = "a.png", MimeType = "image/png", Buffer = Pixel });
        await page.Page.GetByText("puna-tiny does not see pictures.").WaitForAsync();
        Assert.Equal(0, await page.Page.Locator("#images .thumb").CountAsync());
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task APhoneShowsItWithoutScrollingSideways()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server, new() { ViewportSize = new() { Width = 360, Height = 740 }, HasTouch = true, IsMobile = true });
        Assert.False(await page.Page.Locator("aside").IsVisibleAsync());
        await page.Input.FillAsync("What is a llama?");
        await page.Page.Locator("#send").TapAsync();
        await page.Messages.Nth(1).WaitForAsync();
        await page.EndAsync();
        Assert.True(await page.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
        await page.ShootAsync("phone");
        await page.Page.Locator("#menu").TapAsync();
        await page.Page.Locator("#new").WaitForAsync();
        await page.ShootAsync("phone-menu");
        await page.Page.Locator("#new").TapAsync();
        Assert.Equal(0, await page.Messages.CountAsync());
    }

    [Theory]
    [InlineData(ColorScheme.Light, "", false)]
    [InlineData(ColorScheme.Dark, "", true)]
    [InlineData(ColorScheme.Dark, "light", false)]
    [InlineData(ColorScheme.Light, "dark", true)]
    public async Task ColoursAreThoseOfTheSystemUnlessChosen(ColorScheme system, string chosen, bool dark)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using OpenPage page = await OpenPage.AtAsync(chromium, server, new() { ColorScheme = system });
        await page.Page.Locator("#settings summary").ClickAsync();
        await page.Page.Locator("#theme").SelectOptionAsync(chosen);
        int[] background = [.. (await page.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor")).Split('(', ',', ')').Where(static p => int.TryParse(p, out _)).Select(int.Parse)];
        Assert.Equal(dark, background.Sum() < 3 * 128);
        await page.ShootAsync($"colours-{system}-{chosen}");
    }
}
