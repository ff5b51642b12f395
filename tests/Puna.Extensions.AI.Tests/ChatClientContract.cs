using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Puna.Extensions.AI.Tests;

/// <summary>
/// What every client of the embedded model does, be it in this process or behind a server: the same cases for all. A derived class says how to get one.
/// </summary>
public abstract class ChatClientContract
{
    private const string System = "You can use a calculator.";

    /// <summary>A client of the embedded model; the caller disposes it.</summary>
    protected abstract IChatClient Create();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StreamedIsWhatComesWhole()
    {
        using IChatClient client = Create();
        ChatOptions options = Greedy();
        ChatResponse whole = await client.GetResponseAsync("What is 3 + 4?", options, Cancel);
        List<ChatResponseUpdate> updates = await All(client, [new(ChatRole.User, "What is 3 + 4?")], options);
        Assert.NotEmpty(whole.Text);
        Assert.Equal(whole.Text, string.Concat(updates.Select(static u => u.Text)));
        Assert.Equal(whole.Text, updates.ToChatResponse().Text);
        Assert.Equal(whole.FinishReason, updates.ToChatResponse().FinishReason);
        Assert.Equal(ChatFinishReason.Stop, whole.FinishReason);
        Assert.True(updates.Count(static u => u.Text.Length > 0) > 1, "text comes as it is generated");
        Assert.Equal(ChatRole.Assistant, updates[0].Role);
        Assert.Single(updates.Select(static u => u.ResponseId).Distinct());
    }

    [Fact]
    public async Task UsageIsCounted()
    {
        using IChatClient client = Create();
        ChatResponse whole = await client.GetResponseAsync("Hello!", Greedy(), Cancel);
        UsageDetails usage = whole.Usage!;
        Assert.True(usage.InputTokenCount > 5 && usage.OutputTokenCount > 1);
        Assert.Equal(usage.InputTokenCount + usage.OutputTokenCount, usage.TotalTokenCount);
        ChatResponse streamed = (await All(client, [new(ChatRole.User, "Hello!")], Greedy())).ToChatResponse();
        Assert.Equal((usage.InputTokenCount, usage.OutputTokenCount), (streamed.Usage!.InputTokenCount, streamed.Usage.OutputTokenCount));
    }

    [Fact]
    public async Task LengthAndStopSequencesEndReplies()
    {
        using IChatClient client = Create();
        ChatResponse whole = await client.GetResponseAsync("What is 3 + 4?", Greedy(), Cancel);
        ChatOptions few = Greedy();
        few.MaxOutputTokens = 2;
        ChatResponse cut = await client.GetResponseAsync("What is 3 + 4?", few, Cancel);
        Assert.Equal(ChatFinishReason.Length, cut.FinishReason);
        Assert.StartsWith(cut.Text, whole.Text, StringComparison.Ordinal);
        Assert.Equal(2, cut.Usage!.OutputTokenCount);
        ChatOptions stopping = Greedy();
        stopping.StopSequences = [whole.Text[^3..^1]];
        ChatResponse stopped = await client.GetResponseAsync("What is 3 + 4?", stopping, Cancel);
        Assert.Equal(whole.Text[..whole.Text.IndexOf(whole.Text[^3..^1], StringComparison.Ordinal)], stopped.Text);
        Assert.Equal(ChatFinishReason.Stop, stopped.FinishReason);
    }

    [Fact]
    public async Task ASeedReproduces()
    {
        using IChatClient client = Create();
        ChatOptions Seeded(long seed) => new() { Temperature = 1, Seed = seed, MaxOutputTokens = 30 };
        string first = (await client.GetResponseAsync("Hello!", Seeded(1), Cancel)).Text;
        Assert.Equal(first, (await client.GetResponseAsync("Hello!", Seeded(1), Cancel)).Text);
        string[] others = [.. (await Task.WhenAll(Enumerable.Range(2, 5).Select(seed => client.GetResponseAsync("Hello!", Seeded(seed), Cancel)))).Select(static r => r.Text)];
        Assert.Contains(others, other => other != first);
    }

    [Fact]
    public async Task CallsComeBackAsCallsAndTheirResultsGoOn()
    {
        using IChatClient client = Create();
        ChatOptions options = Greedy();
        options.Tools = [Calculator()];
        List<ChatMessage> messages = [new(ChatRole.User, "How much is 37 times 12?")];
        ChatResponse response = await client.GetResponseAsync(messages, options, Cancel);
        FunctionCallContent call = Assert.Single(response.Messages.SelectMany(static m => m.Contents).OfType<FunctionCallContent>());
        Assert.Equal("calculator", call.Name);
        Assert.Null(call.Exception);
        Assert.NotEmpty(call.CallId);
        Assert.Equal(JsonValueKind.String, Assert.IsType<JsonElement>(call.Arguments!["expression"]).ValueKind);
        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
        Assert.Empty(response.Text);
        // Streamed the same call comes.
        FunctionCallContent streamed = Assert.Single((await All(client, messages, options)).ToChatResponse().Messages.SelectMany(static m => m.Contents).OfType<FunctionCallContent>());
        Assert.Equal(call.Arguments["expression"]!.ToString(), streamed.Arguments!["expression"]!.ToString());
        messages.AddRange(response.Messages);
        messages.Add(new ChatMessage(ChatRole.Tool, [new FunctionResultContent(call.CallId, "444")]));
        ChatResponse answer = await client.GetResponseAsync(messages, options, Cancel);
        Assert.True(answer.Usage!.InputTokenCount > response.Usage!.InputTokenCount);
    }

    [Fact]
    public async Task ARequiredToolIsCalledWhateverIsSaid()
    {
        using IChatClient client = Create();
        ChatOptions options = Greedy();
        AIFunction other = AIFunctionFactory.Create(static (bool loud) => loud, "greet", "Greets");
        foreach ((ChatToolMode mode, string[] expected) in new (ChatToolMode, string[])[] { (ChatToolMode.RequireSpecific("greet"), ["greet"]), (ChatToolMode.RequireSpecific("calculator"), ["calculator"]), (ChatToolMode.RequireAny, ["greet", "calculator"]) })
        {
            (options.Tools, options.ToolMode, options.MaxOutputTokens, options.AllowMultipleToolCalls) = ([Calculator(), other], mode, 200, false);
            ChatResponse response = await client.GetResponseAsync("Tell me a story about a llama.", options, Cancel);
            FunctionCallContent call = Assert.Single(response.Messages.SelectMany(static m => m.Contents).OfType<FunctionCallContent>());
            Assert.Contains(call.Name, expected);
            if (call.Exception is null)
            {
                // Complete calls fit the parameters, which the model never chose to.
                Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
                JsonElement argument = Assert.IsType<JsonElement>(call.Arguments![call.Name == "greet" ? "loud" : "expression"]);
                Assert.Equal(call.Name == "greet", argument.ValueKind is JsonValueKind.True or JsonValueKind.False);
            }
            else
            {
                Assert.Equal(ChatFinishReason.Length, response.FinishReason);
            }
        }
    }

    [Fact]
    public async Task AReplyFulfilsItsSchema()
    {
        using IChatClient client = Create();
        // Only what the official client's adapter leaves in a schema: it takes bounds out.
        using JsonDocument schema = JsonDocument.Parse("""{"type":"object","properties":{"animal":{"enum":["llama","alpaca"]},"bags":{"type":"integer","enum":[2,3,5]},"loud":{"type":"boolean"}},"required":["animal","bags","loud"],"additionalProperties":false}""");
        ChatOptions options = new() { Temperature = 1, MaxOutputTokens = 200, ResponseFormat = ChatResponseFormat.ForJsonSchema(schema.RootElement, "animal") };
        for (int seed = 0; seed < 3; seed++)
        {
            options.Seed = seed;
            ChatResponse response = await client.GetResponseAsync("Tell me a story about a llama.", options, Cancel);
            Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
            using JsonDocument reply = JsonDocument.Parse(response.Text);
            Assert.Equal(3, reply.RootElement.EnumerateObject().Count());
            Assert.Contains(reply.RootElement.GetProperty("animal").GetString(), (string[])["llama", "alpaca"]);
            Assert.Contains(reply.RootElement.GetProperty("bags").GetDouble(), (double[])[2, 3, 5]);
            Assert.True(reply.RootElement.GetProperty("loud").ValueKind is JsonValueKind.True or JsonValueKind.False);
        }
    }

    [Fact]
    public async Task WithNoneThereIsNoCall()
    {
        using IChatClient client = Create();
        ChatOptions options = Greedy();
        (options.Tools, options.ToolMode, options.MaxOutputTokens) = ([Calculator()], ChatToolMode.None, 30);
        ChatResponse response = await client.GetResponseAsync([new(ChatRole.System, System), new(ChatRole.User, "How much is 37 times 12?")], options, Cancel);
        Assert.Empty(response.Messages.SelectMany(static m => m.Contents).OfType<FunctionCallContent>());
        Assert.NotEmpty(response.Text);
    }

    [Fact]
    public async Task CancellingIsPrompt()
    {
        using IChatClient client = Create();
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        ChatOptions options = new() { MaxOutputTokens = 400, Temperature = 1, Seed = 1 };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (ChatResponseUpdate _ in client.GetStreamingResponseAsync("Tell me a long story about a llama.", options, source.Token))
                await source.CancelAsync();
        });
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetResponseAsync("Hello!", options, source.Token));
    }

    [Fact]
    public async Task ManyAtOnceAnswerAsAlone()
    {
        using IChatClient client = Create();
        string[] questions = [.. Enumerable.Range(1, 10).Select(static i => $"What is {i} + {i + 3}?")];
        var alone = new List<string>();
        foreach (string question in questions)
            alone.Add((await client.GetResponseAsync(question, Greedy(), Cancel)).Text);
        string[] together = [.. (await Task.WhenAll(questions.Select(question => client.GetResponseAsync(question, Greedy(), Cancel)))).Select(static r => r.Text)];
        Assert.Equal(alone, together);
    }

    [Fact]
    public async Task MessagesAndOptionsStayAsTheyAre()
    {
        using IChatClient client = Create();
        ChatOptions options = Greedy();
        (options.Instructions, options.Tools, options.MaxOutputTokens) = ("Be brief.", [Calculator()], 5);
        List<ChatMessage> messages = [new(ChatRole.System, "S"), new(ChatRole.User, "Hello!")];
        await client.GetResponseAsync(messages, options, Cancel);
        Assert.Equal(["S", "Hello!"], messages.Select(static m => m.Text));
        Assert.Equal(("Be brief.", 5, 1), (options.Instructions, options.MaxOutputTokens, options.Tools.Count));
    }

    [Fact]
    public async Task FunctionsAreInvokedInThePipeline()
    {
        var asked = new List<string>();
        AIFunction function = AIFunctionFactory.Create((string expression) => { asked.Add(expression); return 444; }, "calculator", "Computes an expression");
        using IChatClient client = Create().AsBuilder().UseFunctionInvocation(configure: static c => c.MaximumIterationsPerRequest = 2).Build();
        ChatOptions options = Greedy();
        options.Tools = [function];
        ChatResponse response = await client.GetResponseAsync("How much is 37 times 12?", options, Cancel);
        Assert.NotEmpty(asked);
        Assert.Contains(response.Messages, static m => m.Role == ChatRole.Tool);
    }

    [Fact]
    public async Task ThePipelinesCacheKeepsReplies()
    {
        var cache = new MemoryCache();
        using IChatClient client = Create().AsBuilder().UseDistributedCache(cache).Build();
        ChatResponse first = await client.GetResponseAsync("Hello!", Greedy(), Cancel), second = await client.GetResponseAsync("Hello!", Greedy(), Cancel);
        Assert.Equal(first.Text, second.Text);
        Assert.Equal(first.ResponseId, second.ResponseId);
        Assert.Equal(1, cache.Sets);
    }

    protected static ChatOptions Greedy() => new() { Temperature = 0, MaxOutputTokens = 40 };

    protected static AIFunction Calculator() => AIFunctionFactory.Create(static (string expression) => "444", "calculator", "Computes an expression");

    protected static async Task<List<ChatResponseUpdate>> All(IChatClient client, IEnumerable<ChatMessage> messages, ChatOptions options)
    {
        var updates = new List<ChatResponseUpdate>();
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(messages, options, Cancel))
            updates.Add(update);
        return updates;
    }
}
