using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Runtime.Chat;
using Puna.Runtime.Serving;
using Puna.Server.Anthropic;
using Puna.Server.Http;
using Puna.Server.OpenAI;
using Puna.Text.Templates;

namespace Puna.Server.Tests;

/// <summary>Replies that a grammar, an expression or a schema decides, in the APIs that take them; so a test decides what the model says.</summary>
public sealed class ConstrainedTests : IAsyncLifetime
{
    private static readonly GenerationUsage Usage = new(1, 0, 1, 0, 0, 0, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);

    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("\"grammar\":\"root ::= \\\"llamas\\\" [0-9]\"", "^llamas[0-9]$")]
    [InlineData("\"guided_regex\":\"[0-9]{4}\"", "^[0-9]{4}$")]
    [InlineData("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":{\"const\":\"seven\"}}}", "^\"seven\"$")]
    public async Task ACompletionIsWhatItMustBe(string constraint, string pattern)
    {
        string body = "{\"model\":\"default\",\"prompt\":\"Once\",\"max_tokens\":40,\"seed\":3," + constraint;
        JsonNode choice = (await _server.AskAsync("/v1/completions", body + "}"))["choices"]![0]!;
        Assert.Matches(pattern, choice["text"]!.GetValue<string>());
        Assert.Equal("stop", choice["finish_reason"]!.GetValue<string>());
        string streamed = string.Concat((await _server.StreamAsync("/v1/completions", body + ",\"stream\":true}")).Select(static e => e.Data?["choices"]?[0]?["text"]?.GetValue<string>()));
        Assert.Equal(choice["text"]!.GetValue<string>(), streamed);
    }

    [Fact]
    public async Task AConstraintThatIsNoneIsRefused()
    {
        Assert.Equal(HttpStatusCode.BadRequest, (await _server.PostAsync("/v1/completions", "{\"model\":\"default\",\"prompt\":\"x\",\"guided_regex\":\"(\"}")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await _server.PostAsync("/v1/completions", "{\"model\":\"default\",\"prompt\":\"x\",\"guided_regex\":\"a\",\"response_format\":{\"type\":\"json_object\"}}")).Status);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "response_format", """{"model":"default","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"contains":{}}}}}""")]
    [InlineData("/v1/completions", "response_format", """{"model":"default","prompt":"x","response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object","properties":{"a":{"required":true}}}}}}""")]
    [InlineData("/v1/chat/completions", "tools", """{"model":"default","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","contains":{}}}}]}""")]
    public async Task ASchemaThatIsNoneIsRefusedAsOne(string path, string part, string body)
    {
        (HttpStatusCode status, string text) = await _server.PostAsync(path, body);
        JsonNode error = JsonNode.Parse(text)!["error"]!;
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_schema", part), (status, error["code"]!.GetValue<string>(), error["param"]!.GetValue<string>()));
    }

    [Fact]
    public void WhatATemplateRefusesIsSaidToBeItsRefusal()
    {
        ApiException answer = ApiException.Of(new TemplateException("TemplateError", "roles must alternate"))!;
        Assert.Equal((400, "template_error", "messages"), (answer.Status, answer.Code, answer.Param));
        Assert.Contains("roles must alternate", answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"object","$defs":{"E":{"enum":["a"]}},"properties":{"examples":{"type":"array","minItems":1,"maxItems":1,"items":{"$ref":"#/$defs/E"}}},"required":["examples"],"additionalProperties":false}""")]
    [InlineData("""{"$id":"http://x/y","type":"object","$defs":{"E":{"enum":["a"]}},"properties":{"examples":{"type":"array","minItems":1,"maxItems":1,"items":{"$ref":"http://x/y#/$defs/E"}}},"required":["examples"],"additionalProperties":false}""")]
    public async Task ARequiredToolMayHaveAnySchemaThatHoldsAlone(string parameters)
    {
        JsonObject answer = await _server.AskAsync("/v1/chat/completions", """{"model":"default","messages":[{"role":"user","content":"x"}],"max_tokens":200,"seed":1,"parallel_tool_calls":false,"tool_choice":"required","tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":"""
            + parameters + "}}]}");
        JsonNode call = answer["choices"]![0]!["message"]!["tool_calls"]![0]!["function"]!;
        Assert.Equal("a", JsonNode.Parse(call["arguments"]!.GetValue<string>())!["examples"]![0]!.GetValue<string>());
    }

    [Fact]
    public async Task SoIsARawTextOfOllamas()
    {
        JsonObject answer = await _server.AskAsync("/api/generate", """{"model":"default","prompt":"Once","raw":true,"stream":false,"format":{"const":"seven"}}""");

        // A letter may come as its escape.
        Assert.Equal("seven", JsonNode.Parse(answer["response"]!.GetValue<string>())!.GetValue<string>());
    }

    [Fact]
    public async Task AResponseToo()
    {
        const string Body = """{"model":"default","input":"x","grammar":"root ::= \"llamas\""}""";
        Assert.Equal("llamas", (await _server.AskAsync("/v1/responses", Body))["output"]![0]!["content"]![0]!["text"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("t", "message:completed")]
    [InlineData("", "message:completed")]
    [InlineData("ct", "function_call:completed,message:completed")]
    [InlineData("tct", "message:completed,function_call:completed,message:completed")]
    [InlineData("cc", "function_call:completed,function_call:completed")]
    [InlineData("tcl", "message:completed,function_call:incomplete")]
    public void AResponseHasTheItemsOfItsStreamInTheirOrder(string kinds, string expected)
    {
        var events = new List<ChatEvent>();
        int calls = 0;
        foreach (char kind in kinds)
        {
            events.AddRange(kind switch
            {
                't' => [new ChatEvent.TextDelta(0, "We", []), new ChatEvent.TextDelta(0, "ll.", [])],
                'c' => [new ChatEvent.ToolCallStart(0, calls, $"call_{calls}", "f"), new ChatEvent.ToolArgumentsDelta(0, calls++, "{}")],
                _ => (ChatEvent[])[],
            });
        }

        events.Add(new ChatEvent.Finished(0, kinds.EndsWith('l') ? ChatFinishReason.Length : ChatFinishReason.Stop, null));
        using JsonDocument document = JsonDocument.Parse("{}");
        ResponseJson streamed = Json(), whole = Json();
        var collected = new CollectedReply();
        foreach (ChatEvent found in events)
        {
            collected.Add(found);
            _ = streamed.Events(found).Count();
        }

        string[] items = Items(whole.Whole(collected, Usage));
        Assert.Equal(Items(streamed.End(Usage)["response"]!), items);
        Assert.Equal(expected, string.Join(',', items.Select(static i => $"{JsonNode.Parse(i)!["type"]}:{JsonNode.Parse(i)!["status"]}")));

        ResponseJson Json() => new("m", new RequestObject(document.RootElement), new ChatRequest { Messages = [] });

        // Numbers are made anew for each answer.
        static string[] Items(JsonNode response) => [.. response["output"]!.AsArray().Select(static item =>
        {
            JsonObject copy = item!.DeepClone().AsObject();
            copy.Remove("id");
            return copy.ToJsonString();
        })];
    }

    [Fact]
    public void WhatIsCollectedKeepsItsOrder()
    {
        var reply = new CollectedReply();
        foreach (ChatEvent found in (ChatEvent[])
        [
            new ChatEvent.ToolCallStart(0, 0, "call_1", "f"), new ChatEvent.ToolArgumentsDelta(0, 0, "{\"a\":"), new ChatEvent.ToolArgumentsDelta(0, 0, "1}"), new ChatEvent.TextDelta(0, "We", []),
            new ChatEvent.TextDelta(0, "", []), new ChatEvent.TextDelta(0, "ll.", []), new ChatEvent.ToolCallStart(0, 1, "call_2", "g"), new ChatEvent.Finished(0, ChatFinishReason.ToolCalls, null),
        ])
        {
            reply.Add(found);
        }

        Assert.Equal(["f {\"a\":1}", "Well.", "g "], reply.Parts.Select(static p => p.Call is { } call ? $"{call.Name} {p.Text}" : p.Text));
        Assert.Equal("Well.", reply.Text);
        Assert.Equal([("call_1", "f", "{\"a\":1}"), ("call_2", "g", "")], reply.Calls);
        Assert.Equal(
            """[{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}},{"type":"text","text":"Well."},{"type":"tool_use","id":"toolu_2","name":"g","input":{}}]""",
            AnthropicEndpoints.Content(reply).ToJsonString());
    }
}
