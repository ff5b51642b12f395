using System.Net;
using System.Text.Json.Nodes;
using Puna.Server.Api;

namespace Puna.Server.Tests;

/// <summary>The description of the endpoints says what the endpoints do.</summary>
public sealed class OpenApiTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task EveryEndpointIsDescribedAndItsExampleIsAnswered()
    {
        JsonObject document = JsonNode.Parse(await _server.Http.GetStringAsync("/openapi.json", TestContext.Current.CancellationToken))!.AsObject();
        var seen = new List<string>();
        foreach ((string path, JsonNode? methods) in document["paths"]!.AsObject())
        {
            foreach ((string method, JsonNode? operation) in methods!.AsObject())
            {
                string name = operation!["operationId"]!.GetValue<string>();
                seen.Add(name);
                string[] parameters = [.. (operation["parameters"]?.AsArray() ?? []).Select(static p => p!["name"]!.GetValue<string>())];
                Assert.Equal(parameters.Select(static p => $"{{{p}}}"), path.Split('/').Where(static s => s.StartsWith('{')));
                JsonNode? content = operation["requestBody"]?["content"]!["application/json"];
                string called = path.Replace("{id}", "default", StringComparison.Ordinal);
                using var request = new HttpRequestMessage(new HttpMethod(method.ToUpperInvariant()), called);
                if (content is not null)
                {
                    JsonObject example = content["example"]!.AsObject();
                    Assert.All(content["schema"]!["required"]?.AsArray() ?? [], required => Assert.True(example.ContainsKey(required!.GetValue<string>()), $"{name}: {required}"));
                    Assert.All(example.Where(e => e.Key != "model"), e => Assert.True(content["schema"]!["properties"]!.AsObject().ContainsKey(e.Key), $"{name}: {e.Key}"));
                    request.Content = new StringContent(example.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
                }

                using HttpResponseMessage answer = await _server.Http.SendAsync(request, TestContext.Current.CancellationToken);
                Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{name}: {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
                Assert.True(operation["responses"]!["200"]!["content"]!.AsObject().ContainsKey(answer.Content.Headers.ContentType!.MediaType!), $"{name}: {answer.Content.Headers.ContentType}");
            }
        }

        // An endpoint without a description would not be in the document, and a description without an endpoint neither.
        Assert.Equal(OpenApiDocument.Names.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
        Assert.Null(document["components"]);
    }

    [Fact]
    public void EveryMappedEndpointHasADescription() =>
        Assert.Equal(
            OpenApiDocument.Names.Concat(["index", "script", "style"]).Order(StringComparer.Ordinal),
            _server.Server.EndpointNames.Order(StringComparer.Ordinal));
}
