using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Runtime.Chat;
using Puna.Runtime.Filtering;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text.Chat;
using Puna.Text.Tools;

namespace Puna.Runtime.Tests.Chat;

/// <summary>Conversations with the embedded model; what it says of its own is compared with a session, and what a test wants it to say is forced by a constraint.</summary>
public sealed class ChatEngineTests : IAsyncLifetime
{
    private const string Schema = "{\"type\":\"object\",\"properties\":{\"expression\":{\"type\":\"string\"}},\"required\":[\"expression\"]}";
    private static readonly ToolDefinition Calculator = new("calculator", "Computes", Schema);
    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.EmbeddedModel);
    private readonly CpuOps _ops = new(2);
    private Engine _engine = null!;
    private ChatEngine _chat = null!;

    public ValueTask InitializeAsync()
    {
        _engine = Engine.Start(_model, _ops);
        _chat = new ChatEngine(_engine);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _ops.Dispose();
        _model.Dispose();
    }

    [Fact]
    public async Task RepliesAreWhatASessionSays()
    {
        ChatRequest request = Ask("What is 3 + 4?");
        ChatFormat format = _model.Chat!.Format!;
        using var session = new Session(_model, _ops);
        var options = new GenerationOptions { MaxTokens = request.MaxTokens!.Value, Sampling = SamplingOptions.Greedy, StopIds = format.StopIds(_model.Tokenizer!) };
        string expected = string.Concat(session.Generate(format.Encode(request.Messages, _model.Tokenizer!), options, TestContext.Current.CancellationToken).Select(static s => s.Text));
        (string text, ChatEvent.Finished end, ChatReply reply) = await Read(_chat, request);
        Assert.NotEmpty(expected);
        Assert.Equal(expected, text);
        Assert.Equal(ChatFinishReason.Stop, end.Reason);
        Assert.Equal(_chat.CountTokens(request), reply.Usage.PromptTokens);
        Assert.Equal(_chat.Render(request), format.Render(request.Messages));
    }

    [Fact]
    public async Task SeveralRepliesEachEndOnce()
    {
        ChatRequest request = Ask("Hello!") with { Choices = 3, Sampling = new SamplingOptions { Temperature = 1, Seed = 5, LogProbs = 1 }, MaxTokens = 12 };
        using ChatReply reply = _chat.Start(request, TestContext.Current.CancellationToken);
        List<ChatEvent> events = await All(reply);
        Assert.Equal([0, 1, 2], events.OfType<ChatEvent.Finished>().Select(static e => e.Choice).Order());
        for (int i = 0; i < 3; i++)
        {
            // As many log-probabilities as tokens of the text, the end excepted; their texts together are the reply.
            ChatEvent.TextDelta[] own = [.. events.OfType<ChatEvent.TextDelta>().Where(e => e.Choice == i)];
            Assert.Equal(string.Concat(own.Select(static d => d.Text)), _model.Tokenizer!.Decode([.. own.SelectMany(static d => d.LogProbs).Select(static p => p.Chosen.Token)], skipSpecial: true));
        }

        await Assert.ThrowsAsync<InvalidOperationException>(() => All(reply));
    }

    [Fact]
    public async Task StopStringsAndLengthEndReplies()
    {
        (string whole, _, _) = await Read(_chat, Ask("What is 3 + 4?"));
        string stop = whole[^3..^1];
        (string text, ChatEvent.Finished end, _) = await Read(_chat, Ask("What is 3 + 4?") with { StopStrings = [stop] });
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], text);
        Assert.Equal(stop, end.StopString);
        (text, end, _) = await Read(_chat, Ask("What is 3 + 4?") with { MaxTokens = 2 });
        Assert.Equal(ChatFinishReason.Length, end.Reason);
        Assert.StartsWith(text, whole, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACallThatMustComeIsConstrainedAndRead()
    {
        ScriptedCompiler compiler = new((_, _) => new ForcedText(_model.Tokenizer!, "{\"name\": \"calculator\", \"parameters\": {\"expression\": \"3 + 4\"}}"));
        var chat = new ChatEngine(_engine, null, compiler);
        ChatRequest request = Ask("What is 3 + 4?") with { Tools = [Calculator, new("other", null, null)], ToolChoice = ToolChoiceMode.Required, AllowedTools = ["calculator"], ParallelToolCalls = false };
        using ChatReply reply = chat.Start(request, TestContext.Current.CancellationToken);
        List<ChatEvent> events = await All(reply);
        var start = Assert.IsType<ChatEvent.ToolCallStart>(events[0]);
        Assert.Equal(("calculator", 0), (start.Name, start.Index));
        Assert.Equal("{\"expression\":\"3 + 4\"}", string.Concat(events.OfType<ChatEvent.ToolArgumentsDelta>().Select(static e => e.Arguments)));
        Assert.Equal(ChatFinishReason.ToolCalls, Assert.IsType<ChatEvent.Finished>(events[^1]).Reason);
        Assert.True(events.OfType<ChatEvent.ToolArgumentsDelta>().Count() > 1, "arguments come as they are written");
        Assert.Empty(events.OfType<ChatEvent.TextDelta>());
        // The tool's own schema is compiled to see that it can be, and the schema of calls names the one tool alone.
        Assert.Equal((ReplyFormatKind.JsonSchema, Schema), compiler.Asked[0]);
        Assert.Contains("{\"const\":\"calculator\"}", compiler.Asked[1].Definition, StringComparison.Ordinal);
        Assert.DoesNotContain("other", compiler.Asked[1].Definition, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhereOneCallWasAskedForWhatComesBehindItIsNotCounted()
    {
        const string Two = "{\"name\": \"calculator\", \"parameters\": {\"expression\": \"3 + 4\"}}; {\"name\": \"calculator\", \"parameters\": {\"expression\": \"3 + 4\"}}";
        var chat = new ChatEngine(_engine, null, new ScriptedCompiler((_, _) => new ForcedText(_model.Tokenizer!, Two)));
        ChatRequest request = Ask("x") with { Tools = [Calculator], Format = ReplyFormat.JsonObject, ParallelToolCalls = false, MaxTokens = 200 };
        var counts = new List<int>();
        for (int i = 0; i < 2; i++)
        {
            using ChatReply reply = chat.Start(request, TestContext.Current.CancellationToken);
            for (int last = -1; i == 1 && reply.Usage.GeneratedTokens is int now && (now == 0 || now != last); last = now)
            {
                // The second time the engine is done before anybody reads.
                await Task.Delay(300, TestContext.Current.CancellationToken);
            }

            List<ChatEvent> events = await All(reply);
            Assert.Single(events.OfType<ChatEvent.ToolCallStart>());
            counts.Add(reply.Usage.GeneratedTokens);
        }

        Assert.Equal(counts[0], counts[1]);
        Assert.InRange(counts[0], 5, _model.Tokenizer!.Encode(Two).Length - 1);
    }

    [Fact]
    public async Task ASchemaThatCannotBeCompiledCountsOnlyWhereItMust()
    {
        ScriptedCompiler compiler = new((_, definition) => definition == Schema ? throw new PunaException("keyword oops") : new ForcedText(_model.Tokenizer!, "{\"name\": \"calculator\"}"));
        var chat = new ChatEngine(_engine, null, compiler);
        ChatRequest request = Ask("x") with { Tools = [Calculator], ToolChoice = ToolChoiceMode.Required };
        await Read(chat, request);
        Assert.Contains("\"tool0\":{\"type\":\"object\"}", compiler.Asked[^1].Definition, StringComparison.Ordinal);
        InvalidSchemaException refused = Assert.Throws<InvalidSchemaException>(() => chat.Start(request with { Tools = [Calculator with { IsStrict = true }] }, TestContext.Current.CancellationToken));
        Assert.Equal(("tools", "tool calculator: parameters: keyword oops"), (refused.Part, refused.Message));
    }

    [Fact]
    public async Task WithNoneWhatLooksLikeACallIsText()
    {
        const string Call = "{\"name\": \"calculator\", \"parameters\": {\"expression\": \"1\"}}";
        var chat = new ChatEngine(_engine, null, new ScriptedCompiler((_, _) => new ForcedText(_model.Tokenizer!, Call)));
        ChatRequest request = Ask("x") with { Tools = [Calculator], Format = ReplyFormat.JsonObject };
        (string text, ChatEvent.Finished end, _) = await Read(chat, request with { ToolChoice = ToolChoiceMode.None });
        Assert.Equal((Call, ChatFinishReason.Stop), (text, end.Reason));
        (text, end, _) = await Read(chat, request);
        Assert.Equal(("", ChatFinishReason.ToolCalls), (text, end.Reason));
        Assert.DoesNotContain("calculator", chat.Render(request with { ToolChoice = ToolChoiceMode.None }), StringComparison.Ordinal);
        Assert.Contains("calculator", chat.Render(request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAnswerToACallGoesOn()
    {
        ChatMessage[] messages =
        [
            new(ChatRole.User, "What is 12 * 3?"),
            new(ChatRole.Assistant, "") { ToolCalls = [new ToolCall("calculator", "{\"expression\":\"12 * 3\"}") { Id = "call_1" }] },
            new(ChatRole.Tool, "36") { ToolCallId = "call_1", ToolName = "calculator" },
        ];
        ChatRequest request = Ask("") with { Messages = messages, Tools = [Calculator] };
        Assert.Contains("<|start_header_id|>ipython<|end_header_id|>\n\n36<|eot_id|><|start_header_id|>assistant", _chat.Render(request), StringComparison.Ordinal);
        (string text, _, _) = await Read(_chat, request);
        Assert.NotEmpty(text);
    }

    [Fact]
    public async Task ToolsAreToldByTheTemplateThatIsNamedForThem()
    {
        GgufFile file = GgufFile.Open(TestFiles.EmbeddedModel);
        file.Metadata.Set(
            "tokenizer.chat_template.tool_use",
            "{{ bos_token }}<tools>{{ tools[0].function.name }}</tools>{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>{{ m.content }}{% for c in m.tool_calls %}<tool_call>{{ c.function.name }}</tool_call>{% endfor %}<|eom_id|>{% endfor %}");
        using LanguageModel model = LanguageModel.Open(Checkpoint.OpenGguf(file), cancel: TestContext.Current.CancellationToken);
        await using Engine engine = Engine.Start(model, _ops);
        var chat = new ChatEngine(engine);
        ChatMessage[] messages = [new(ChatRole.User, "12 * 3?"), new(ChatRole.Assistant, "") { ToolCalls = [new ToolCall("calculator", "{}")] }, new(ChatRole.Tool, "36")];
        ChatRequest request = Ask("") with { Messages = messages, Tools = [Calculator] };
        Assert.Equal(
            "<|begin_of_text|><tools>calculator</tools><|start_header_id|>user<|end_header_id|>12 * 3?<|eom_id|><|start_header_id|>assistant<|end_header_id|><tool_call>calculator</tool_call><|eom_id|>"
            + "<|start_header_id|>tool<|end_header_id|>36<|eom_id|>",
            chat.Render(request));
        // Without tools, and where none may be called, it is the layout of all other conversations.
        Assert.Equal(_chat.Render(request with { Tools = [] }), chat.Render(request with { Tools = [] }));
        Assert.Equal(_chat.Render(request with { ToolChoice = ToolChoiceMode.None }), chat.Render(request with { ToolChoice = ToolChoiceMode.None }));
        int eom = model.Tokenizer!.IdOf("<|eom_id|>")!.Value;
        Assert.Contains(eom, chat.Format.StopIds(model.Tokenizer));
    }

    [Fact]
    public void WrongRequestsAreRefusedAtOnce()
    {
        void Refused(string message, ChatRequest request) =>
            Assert.Equal(message, Assert.ThrowsAny<PunaException>(() => _chat.Start(request, TestContext.Current.CancellationToken)).Message);
        ChatRequest ask = Ask("x");
        Refused("tool choice: expected tools to choose from, got none", ask with { ToolChoice = ToolChoiceMode.Required });
        Refused("tool choice: expected one of the tools, got 'g'", ask with { Tools = [Calculator], AllowedTools = ["g"] });
        Refused("tool choice: expected at least one tool that may be called, got none", ask with { Tools = [Calculator], AllowedTools = [] });
        Refused("tool calculator: expected tools of different names, got two of this one", ask with { Tools = [Calculator, Calculator] });
        Refused("tool name: expected 1 to 128 letters, digits, dots, dashes or underscores, got 'a b'", ask with { Tools = [new("a b", null, null)] });
        Refused("response format: expected a definition of the Regex, got none", ask with { Format = new ReplyFormat(ReplyFormatKind.Regex) });
        Refused("tool calculator: parameters: expected a JSON object, got an array", ask with { Tools = [Calculator with { Parameters = "[]" }] });
        Assert.Throws<ContextLengthException>(() => _chat.Start(ask with { MaxTokens = 100_000 }, TestContext.Current.CancellationToken));
        Assert.ThrowsAny<PunaException>(() => _chat.Start(ask with { Messages = [] }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task CancellingEndsTheRequest()
    {
        using var cancel = new CancellationTokenSource();
        using ChatReply reply = _chat.Start(Ask("Tell me a story.") with { MaxTokens = 400, IgnoreStopIds = true }, cancel.Token);
        int count = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (ChatEvent _ in reply.ReadAsync(TestContext.Current.CancellationToken))
            {
                if (++count == 3)
                    cancel.Cancel();
            }
        });
        // Who stops reading cancels too.
        ChatReply left = _chat.Start(Ask("Tell me a story.") with { MaxTokens = 400, IgnoreStopIds = true }, TestContext.Current.CancellationToken);
        await foreach (ChatEvent _ in left.ReadAsync(TestContext.Current.CancellationToken))
            break;
        for (int i = 0; i < 500 && _engine.Statistics() is { Running: > 0 }; i++)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.Equal(0, _engine.Statistics().Running);
        Assert.True(left.Usage.GeneratedTokens < 400);
    }

    [Fact]
    public async Task AFilterJudgesPromptsAndReplies()
    {
        var filter = new WordFilter("llama");
        var chat = new ChatEngine(_engine, filter);
        using (ChatReply refused = chat.Start(Ask("About a llama") with { Choices = 2 }, TestContext.Current.CancellationToken))
        {
            Assert.Equal([new ChatEvent.Finished(0, ChatFinishReason.ContentFilter, null), new ChatEvent.Finished(1, ChatFinishReason.ContentFilter, null)], await All(refused));
            Assert.Equal(0, refused.Usage.GeneratedTokens);
        }

        // What passes is what comes without a filter, and what does not is not shown at all.
        (string plain, _, _) = await Read(_chat, Ask("What is 3 + 4?"));
        (string text, _, _) = await Read(chat, Ask("What is 3 + 4?"));
        Assert.Equal(plain, text);
        Assert.Equal(["What is 3 + 4?", plain], filter.Judged[^2..]);
        var strict = new ChatEngine(_engine, new WordFilter(plain[..3], onlyReplies: true));
        using ChatReply hidden = strict.Start(Ask("What is 3 + 4?"), TestContext.Current.CancellationToken);
        Assert.Equal([new ChatEvent.Finished(0, ChatFinishReason.ContentFilter, null)], await All(hidden));
    }

    [Fact]
    public async Task ManyAtOnceSayWhatEachSaysAlone()
    {
        string[] questions = [.. Enumerable.Range(0, 12).Select(static i => $"What is {i} + {i * 2}?")];
        var alone = new List<string>();
        foreach (string question in questions)
            alone.Add((await Read(_chat, Ask(question))).Text);
        string[] together = await Task.WhenAll(questions.Select(async question => (await Read(_chat, Ask(question))).Text));
        Assert.Equal(alone, together);
    }

    private static ChatRequest Ask(string text) => new() { Messages = [new ChatMessage(ChatRole.User, text)], Sampling = SamplingOptions.Greedy, MaxTokens = 40 };

    private static async Task<List<ChatEvent>> All(ChatReply reply)
    {
        var events = new List<ChatEvent>();
        await foreach (ChatEvent found in reply.ReadAsync(TestContext.Current.CancellationToken))
            events.Add(found);
        return events;
    }

    private static async Task<(string Text, ChatEvent.Finished End, ChatReply Reply)> Read(ChatEngine chat, ChatRequest request)
    {
        ChatReply reply = chat.Start(request, TestContext.Current.CancellationToken);
        List<ChatEvent> events = await All(reply);
        return (string.Concat(events.OfType<ChatEvent.TextDelta>().Select(static d => d.Text)), Assert.IsType<ChatEvent.Finished>(events[^1]), reply);
    }

    private sealed class WordFilter(string word, bool onlyReplies = false) : IContentFilter
    {
        public List<string> Judged { get; } = [];

        public ContentVerdict Check(IReadOnlyList<ChatMessage> conversation, CancellationToken cancel = default)
        {
            Judged.Add(conversation[^1].Content);
            bool isAllowed = (onlyReplies && conversation[^1].Role != ChatRole.Assistant) || !conversation[^1].Content.Contains(word, StringComparison.Ordinal);
            return isAllowed ? ContentVerdict.Allowed : new ContentVerdict(false, "a word", ["word"]);
        }
    }
}
