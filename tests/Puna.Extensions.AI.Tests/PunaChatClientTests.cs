using System.Text.Json;
using Microsoft.Extensions.AI;
using Puna.Models.Adapters;
using Puna.Runtime.Chat;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Tests.Shared;

namespace Puna.Extensions.AI.Tests;

/// <summary>The contract in this process, and what only a client in this process does.</summary>
public sealed class PunaChatClientTests(EmbeddedEngine embedded) : ChatClientContract, IClassFixture<EmbeddedEngine>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected override IChatClient Create() => new PunaChatClient(embedded.Chat, "puna-tiny");

    [Fact]
    public async Task UpdatesCarryTheSameNames()
    {
        using IChatClient client = Create();
        List<ChatResponseUpdate> updates = await All(client, [new(ChatRole.User, "Hello!")], Greedy());
        Assert.All(updates, u => Assert.Equal((updates[0].ResponseId, updates[0].MessageId, "puna-tiny", updates[0].CreatedAt), (u.ResponseId, u.MessageId, u.ModelId, u.CreatedAt)));
        Assert.All(updates.Skip(1), static u => Assert.Null(u.Role));
        Assert.All(updates.SkipLast(1), static u => Assert.Empty(u.Contents.OfType<UsageContent>()));
        Assert.Single(updates[^1].Contents.OfType<UsageContent>());
        Assert.All(updates, static u => Assert.IsAssignableFrom<ChatEvent>(u.RawRepresentation));
    }

    [Fact]
    public async Task AModelIdMayNameAnAdapter()
    {
        string folder = Directory.CreateTempSubdirectory("puna-adapter-").FullName;
        using var ops = new Tensors.CpuOps(1);
        UnmergedAdapter adapter = UnmergedAdapter.Open(AdapterFiles.Write(folder, AdapterFiles.EmbeddedModel, 1), embedded.Engine.Model.Checkpoint, ops);
        Directory.Delete(folder, recursive: true);
        using var client = new PunaChatClient(embedded.Chat, "puna-tiny", adapters: new Dictionary<string, UnmergedAdapter> { ["poems"] = adapter });
        ChatResponse[] replies = await Task.WhenAll(((string?[])[null, "puna-tiny", "poems"]).Select(name =>
        {
            ChatOptions options = Greedy();
            options.ModelId = name;
            return client.GetResponseAsync([new(ChatRole.User, "Hello!")], options, Cancel);
        }));
        Assert.Equal(["puna-tiny", "puna-tiny", "poems"], replies.Select(static r => r.ModelId));
        Assert.Equal(replies[0].Text, replies[1].Text);
        Assert.NotEqual(replies[0].Text, replies[2].Text);
        Assert.Contains(
            "model: expected puna-tiny, poems, got other",
            (await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync([new(ChatRole.User, "x")], new() { ModelId = "other" }, Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ServicesAreThoseItHas()
    {
        using IChatClient client = Create();
        Assert.Equal("puna-tiny", ((ChatClientMetadata)client.GetService(typeof(ChatClientMetadata))!).DefaultModelId);
        Assert.Same(embedded.Chat, client.GetService(typeof(ChatEngine)));
        Assert.Same(embedded.Engine, client.GetService(typeof(Engine)));
        Assert.Same(embedded.Engine.Model, client.GetService(typeof(LanguageModel)));
        Assert.Same(client, client.GetService(typeof(IChatClient)));
        Assert.Null(client.GetService(typeof(ChatEngine), "a key"));
        Assert.Null(client.GetService(typeof(string)));
    }

    [Fact]
    public async Task WhatCannotBeDoneIsNamed()
    {
        using IChatClient client = Create();
        async Task Refused(string message, ChatOptions? options, params AIContent[] contents) => Assert.Equal(
            message, (await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync([new ChatMessage(ChatRole.User, contents.Length == 0 ? [new TextContent("x")] : contents)], options, Cancel))).Message);
        await Refused("model: expected puna-tiny, got other", new() { ModelId = "other" });
        await Refused("conversation id: expected none, since conversations are not kept: send all messages", new() { ConversationId = "c" });
        await Refused("choices: expected 1, since a response is one reply, got 2", new() { RawRepresentationFactory = static _ => new ChatRequest { Messages = [], Choices = 2 } });
        await Refused("tool web_search: expected a function, got HostedWebSearchTool", new() { Tools = [new HostedWebSearchTool()] });
        await Refused("images: expected text alone, got a content of data, and the model does not see", null, new DataContent(new byte[] { 1 }, "image/png"));
        await Refused("message content: expected text, calls and results of functions, got HostedFileContent", null, new HostedFileContent("f"));
    }

    [Fact]
    public void OptionsBecomeARequest()
    {
        ChatOptions options = new()
        {
            Instructions = "I", Temperature = 0.7f, TopP = 0.9f, TopK = 5, FrequencyPenalty = 0.1f, PresencePenalty = -0.2f, Seed = 3, MaxOutputTokens = 9, StopSequences = ["a"],
            AllowMultipleToolCalls = false, ToolMode = ChatToolMode.RequireSpecific("f"), Tools = [AIFunctionFactory.Create(static (int n) => n, "f", "F")],
            ResponseFormat = ChatResponseFormat.Json, ModelId = "m",
            AdditionalProperties = new() { ["min_p"] = 0.1, ["repetition_penalty"] = 1.1f, ["logit_bias"] = new Dictionary<int, float> { [4] = -1 }, ["logprobs"] = true, ["min_tokens"] = 2, ["ignore_eos"] = true, ["cache_salt"] = "s",
                ["chat_template_kwargs"] = "{\"a\":1}", ["unknown"] = 1 },
        };
        ChatRequest request = ChatRequests.Create([new(ChatRole.System, "S"), new(ChatRole.User, "U")], options, "m", false, Create());
        Assert.Equal(["I\n\nS", "U"], request.Messages.Select(static m => m.Content));
        // Single-precision numbers are the decimal ones that were written.
        Assert.Equal((0.7, 0.9, 5, 0.1, -0.2, 3L), (request.Sampling.Temperature, request.Sampling.TopP, request.Sampling.TopK, request.Sampling.FrequencyPenalty, request.Sampling.PresencePenalty, request.Sampling.Seed!.Value));
        Assert.Equal((0.1, 1.1, 0), (request.Sampling.MinP, request.Sampling.RepetitionPenalty, request.Sampling.LogProbs!.Value));
        Assert.Equal(-1, request.Sampling.LogitBias![4]);
        Assert.Equal((9, 2, true, "s", "{\"a\":1}"), (request.MaxTokens!.Value, request.MinTokens, request.IgnoreStopIds, request.CacheSalt, request.TemplateVariables));
        Assert.Equal((ToolChoiceMode.Required, "f", false, ReplyFormatKind.JsonObject), (request.ToolChoice, Assert.Single(request.AllowedTools!), request.ParallelToolCalls, request.Format.Kind));
        Assert.Equal(["a"], request.StopStrings);
        ToolDefinition tool = Assert.Single(request.Tools);
        Assert.Equal(("f", "F", false), (tool.Name, tool.Description, tool.IsStrict));
        Assert.Contains("\"integer\"", tool.Parameters, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ChatRequests.Create([], new ChatOptions { AdditionalProperties = new() { ["min_p"] = "much" } }, "m", false, Create()));
    }

    [Theory]
    [InlineData("true", 0, true)]
    [InlineData("false", null, false)]
    public void OptionsMayComeFromJson(string json, int? logProbs, bool ignores)
    {
        JsonElement flag = JsonDocument.Parse(json).RootElement;
        ChatRequest request = ChatRequests.Create([], new ChatOptions { AdditionalProperties = new() { ["logprobs"] = flag, ["ignore_eos"] = flag } }, "m", false, Create());
        Assert.Equal((logProbs, ignores), (request.Sampling.LogProbs, request.IgnoreStopIds));
        request = ChatRequests.Create([], new ChatOptions { AdditionalProperties = new() { ["logprobs"] = JsonDocument.Parse("3").RootElement } }, "m", false, Create());
        Assert.Equal(3, request.Sampling.LogProbs);
    }

    [Fact]
    public void ARequestOfOnesOwnIsBegunFrom()
    {
        var own = new ChatRequest { Messages = [], Key = "k", MaxTokens = 3, Sampling = new SamplingOptions { MinP = 0.2, Temperature = 0.3 } };
        ChatRequest request = ChatRequests.Create([new(ChatRole.User, "U")], new ChatOptions { RawRepresentationFactory = _ => own, Temperature = 1 }, "m", false, Create());
        Assert.Equal(("k", 3, 0.2, 1.0, "U"), (request.Key, request.MaxTokens!.Value, request.Sampling.MinP, request.Sampling.Temperature, request.Messages[0].Content));
    }

    [Fact]
    public void SchemasAndStrictToolsAreHandedOn()
    {
        ChatRequest request = ChatRequests.Create([new(ChatRole.User, "U")], new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema<int[]>() }, "m", false, Create());
        Assert.Equal(ReplyFormatKind.JsonSchema, request.Format.Kind);
        Assert.Contains("integer", request.Format.Definition, StringComparison.Ordinal);
        AIFunction strict = AIFunctionFactory.Create(static (int n) => n, new AIFunctionFactoryOptions { Name = "f", AdditionalProperties = new Dictionary<string, object?> { ["strict"] = true } });
        Assert.True(ChatRequests.Create([], new ChatOptions { Tools = [strict] }, "m", false, Create()).Tools[0].IsStrict);
    }

    [Fact]
    public void HistoriesKeepCallsAndResults()
    {
        List<Puna.Text.Chat.ChatMessage> messages = ChatMessages.Convert(
            [
                new(ChatRole.User, [new TextContent("a"), new TextContent("b")]),
                new(ChatRole.Assistant, [new TextReasoningContent("hm"), new TextContent("t"), new FunctionCallContent("c1", "f", new Dictionary<string, object?> { ["n"] = 1 }), new FunctionCallContent("c2", "g")]),
                new(ChatRole.Tool, [new FunctionResultContent("c1", "text"), new FunctionResultContent("c2", new { Value = 2 }), new FunctionResultContent("c3", null)]),
            ],
            null,
            seesImages: false);
        Assert.Equal(["ab", "t", "text", "{\"value\":2}", "null"], messages.Select(static m => m.Content));
        Assert.Equal([("f", "{\"n\":1}", "c1"), ("g", "{}", "c2")], messages[1].ToolCalls!.Select(static c => (c.Name, c.Arguments, c.Id)));
        Assert.Equal([("c1", "f"), ("c2", "g"), ("c3", null)], messages.Skip(2).Select(static m => (m.ToolCallId!, m.ToolName)));
    }

    [Fact]
    public void ACallThatWasCutShortSaysSo()
    {
        FunctionCallContent call = Arguments.Call("c", "f", "{\"a\":");
        Assert.NotNull(call.Exception);
        Assert.Null(call.Arguments);
        Assert.Null(Arguments.Call("c", "f", "{\"a\":1}").Exception);
    }
}
