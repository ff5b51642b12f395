using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Puna.Server.Api;

namespace Puna.Server.Tests;

/// <summary>What requests ask for and does not exist: settings that would change the answer are refused by name, members that nobody knows are counted.</summary>
public sealed partial class RefusalTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("/v1/responses", "\"reasoning\":{\"effort\":\"high\"}", "reasoning.effort")]
    [InlineData("/v1/responses", "\"truncation\":\"auto\"", "truncation")]
    [InlineData("/v1/responses", "\"text\":{\"verbosity\":\"low\"}", "text.verbosity")]
    [InlineData("/v1/responses", "\"top_logprobs\":2", "top_logprobs")]
    [InlineData("/v1/responses", "\"include\":[\"message.output_text.logprobs\"]", "top_logprobs")]
    [InlineData("/api/chat", "\"think\":\"high\"", "think")]
    [InlineData("/api/chat", "\"options\":{\"mirostat\":1}", "options.mirostat")]
    [InlineData("/api/chat", "\"options\":{\"repeat_last_n\":64,\"repeat_penalty\":1.1}", "options.repeat_last_n")]
    [InlineData("/api/generate", "\"context\":[1,2]", "context")]
    public async Task ASettingThatWouldChangeTheAnswerIsNamed(string path, string setting, string named)
    {
        (HttpStatusCode status, string text) = await _server.PostAsync(path, Body(path, setting));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        JsonNode error = JsonNode.Parse(text)!["error"]!;
        Assert.StartsWith(named + ": expected ", error is JsonObject ? error["message"]!.GetValue<string>() : error.GetValue<string>(), StringComparison.Ordinal);
        Assert.True(error is not JsonObject || ((string)error["code"]!, (string)error["param"]!) == ("unsupported_parameter", named));
    }

    [Theory]
    [InlineData("/v1/responses", "\"reasoning\":{\"effort\":\"none\",\"summary\":null},\"truncation\":\"disabled\",\"text\":{\"verbosity\":\"medium\"},\"include\":[\"reasoning.encrypted_content\"],\"top_logprobs\":0")]
    [InlineData("/api/chat", "\"think\":false,\"options\":{\"num_predict\":2,\"mirostat\":0,\"repeat_last_n\":64}")]
    [InlineData("/api/chat", "\"options\":{\"num_predict\":2,\"repeat_last_n\":0,\"repeat_penalty\":1.5}")]
    [InlineData("/api/chat", "\"options\":{\"num_predict\":2,\"repeat_last_n\":-1,\"repeat_penalty\":1.5}")]
    [InlineData("/api/generate", "\"context\":[],\"options\":{\"num_predict\":2}")]
    public async Task WhatChangesNothingIsTaken(string path, string setting)
    {
        (HttpStatusCode status, string text) = await _server.PostAsync(path, Body(path, setting));
        Assert.True(status == HttpStatusCode.OK, text);
    }

    [Fact]
    public async Task AWindowOfNoTokensIsNoPenalty()
    {
        async Task<string> Said(string options) =>
            (await _server.AskAsync("/api/chat", Body("/api/chat", "\"options\":{\"num_predict\":24,\"temperature\":0" + options + "}")))["message"]!["content"]!.GetValue<string>();
        string plain = await Said(""), none = await Said(",\"repeat_last_n\":0,\"repeat_penalty\":2"), whole = await Said(",\"repeat_last_n\":-1,\"repeat_penalty\":2");
        Assert.Equal(plain, none);
        Assert.NotEqual(plain, whole);
    }

    [Theory]
    [InlineData("createChatCompletion", "/v1/chat/completions")]
    [InlineData("createCompletion", "/v1/completions")]
    [InlineData("createResponse", "/v1/responses")]
    [InlineData("createEmbedding", "/v1/embeddings")]
    [InlineData("rerank", "/v1/rerank")]
    [InlineData("createMessage", "/v1/messages")]
    [InlineData("ollamaChat", "/api/chat")]
    [InlineData("ollamaGenerate", "/api/generate")]
    [InlineData("ollamaEmbed", "/api/embed")]
    public async Task MembersThatNobodyKnowsAreCounted(string operation, string path)
    {
        JsonObject body = OpenApiDocument.Example(operation)!.DeepClone().AsObject();
        await _server.AskAsync(path, Whole(body));
        Assert.Equal(0, await Unknown());
        body["zebra"] = 1;
        body["okapi"] = new JsonObject();
        await _server.AskAsync(path, Whole(body));
        Assert.Equal(2, await Unknown());

        static string Whole(JsonObject body)
        {
            if (body["messages"] is not null || body["prompt"] is not null)
            {
                body["stream"] = false;
            }

            return body.ToJsonString();
        }

        async Task<int> Unknown() =>
            int.Parse(UnknownMembers().Match(await _server.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken)).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("/v1/responses")]
    [InlineData("/v1/messages")]
    [InlineData("/api/chat")]
    public async Task NothingIsBegunForARequestWhoseStreamIsNeitherTrueNorFalse(string path)
    {
        Assert.Equal(HttpStatusCode.BadRequest, (await _server.PostAsync(path, Body(path, "\"stream\":\"yes\",\"max_tokens\":2"))).Status);
        string metrics = await _server.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Contains("finished_reason=\"error\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.Contains("finished_reason=\"abort\"} 0\n", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public void AFullNameCountsBeforeItsTag()
    {
        var model = new ServedModel("m:latest", _server.Engine, ["n"]);
        Assert.All((string[])["m:latest", "m:latest:latest", "n", "n:latest"], name => Assert.True(model.Answers(name)));
        Assert.All((string[])["m", "n:latest:latest", ":latest"], name => Assert.False(model.Answers(name)));
    }

    private static string Body(string path, string more) => path switch
    {
        "/v1/responses" => "{\"model\":\"default\",\"input\":\"x\",\"max_output_tokens\":2," + more + "}",
        "/api/generate" => "{\"model\":\"default\",\"prompt\":\"x\",\"stream\":false," + more + "}",
        _ => "{\"model\":\"default\",\"messages\":[{\"role\":\"user\",\"content\":\"Tell me a story.\"}]" + (more.Contains("stream", StringComparison.Ordinal) ? "," : ",\"stream\":false,") + more + "}",
    };

    [GeneratedRegex(@"unknown_request_fields_total\{[^}]*\} (\d+)")]
    private static partial Regex UnknownMembers();
}
