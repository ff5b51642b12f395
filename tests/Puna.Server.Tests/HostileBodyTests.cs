using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Puna.Server.Tests;

/// <summary>Bodies that are JSON by the letter and break what is careless: each is a clear error of the request, and never one of the server.</summary>
public sealed class HostileBodyTests : IAsyncLifetime
{
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("/v1/chat/completions", "{\"\\ud800\":1,\"model\":\"default\"," + Messages + "}", "body")]
    [InlineData("/v1/chat/completions", "{\"model\":\"default\",\"logit_bias\":{\"\\uDC00\":1}," + Messages + "}", "logit_bias")]
    [InlineData("/v1/chat/completions", "{\"model\":\"default\",\"x\":[0,{\"y\":\"\\ud83d\"}]," + Messages + "}", "x[1].y")]
    [InlineData("/v1/responses", "{\"model\":\"default\",\"input\":\"x\",\"metadata\":{\"a\":\"\\ud800\"}}", "metadata.a")]
    [InlineData("/v1/responses", "{\"model\":\"default\",\"input\":\"x\",\"metadata\":5}", "metadata")]
    [InlineData("/v1/responses", "{\"model\":\"default\",\"input\":\"x\",\"metadata\":{\"a\":1}}", "metadata.a")]
    [InlineData("/v1/responses", "{\"model\":\"default\",\"input\":[{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"[\"}]}", "input[0].arguments")]
    public async Task AMemberThatIsWrongIsNamed(string path, string body, string param)
    {
        (HttpStatusCode status, string text) = await _server.PostAsync(path, body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(param, JsonNode.Parse(text)!["error"]!["param"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(0xff)]
    [InlineData(0xc3)]
    public async Task BytesThatAreNoUtf8AreNoJson(byte wrong)
    {
        byte[] body = [.. Encoding.UTF8.GetBytes("{\"model\":\"default\",\"user\":\""), wrong, .. Encoding.UTF8.GetBytes("\"," + Messages + "}")];
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using HttpResponseMessage answer = await _server.Http.PostAsync("/v1/chat/completions", content, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("invalid_json", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WholeSurrogatePairsAreText()
    {
        JsonObject answer = await _server.AskAsync("/tokenize", "{\"content\":\"\\ud83e\\udd99\"}");
        Assert.Equal("\U0001F999", (await _server.AskAsync("/detokenize", $$"""{"tokens":{{answer["tokens"]!.ToJsonString()}}}"""))["content"]!.GetValue<string>());
    }

    [Fact]
    public async Task MetadataComeBackAsTheyWere()
    {
        JsonObject answer = await _server.AskAsync("/v1/responses", """{"model":"default","input":"x","max_output_tokens":2,"metadata":{"a":"b"},"text":{"verbosity":"medium"}}""");
        SchemaCheck.Assert("openai.response", answer);
        Assert.Equal("b", answer["metadata"]!["a"]!.GetValue<string>());
        Assert.Equal("text", answer["text"]!["format"]!["type"]!.GetValue<string>());
    }
}
