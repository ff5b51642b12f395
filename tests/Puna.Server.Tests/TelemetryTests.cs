using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Puna.Server.Operations;

namespace Puna.Server.Tests;

/// <summary>Traces and metrics by the conventions for generative AI, as a listener and as a collector sees them.</summary>
public sealed class TelemetryTests
{
    private const string Chat = """{"model":"default","messages":[{"role":"user","content":"Tell me a secret."}],"max_tokens":6,"temperature":0.5,"top_p":0.9,"seed":7,"stop":["zebra"]""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Off unless it is asked for; then messages, tools and replies are what was sent and answered.</summary>
    [Fact]
    public async Task WhatIsSaidIsToldOnlyWhereThatWasAskedFor()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var spans = new ActivityListener
        {
            ShouldListenTo = static s => s.Name == ServerTelemetry.Name,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(spans);
        foreach ((bool? captures, bool stream, int seed) in ((bool?, bool, int)[])[(null, false, 901), (false, true, 902), (true, false, 903), (true, true, 904)])
        {
            await using RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { CapturesContent = captures });
            string body = """{"model":"default","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Tell me a \"secret\"."}],"max_tokens":6,"seed":SEED,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"none","stream":STREAM}"""
                .Replace("SEED", $"{seed}", StringComparison.Ordinal).Replace("STREAM", stream ? "true" : "false", StringComparison.Ordinal);
            string said = stream
                ? string.Concat((await server.StreamAsync("/v1/chat/completions", body)).Select(static e => (string?)e.Data?["choices"]?[0]?["delta"]?["content"]))
                : (string)(await server.AskAsync("/v1/chat/completions", body))["choices"]![0]!["message"]!["content"]!;
            Activity? span = null;
            Assert.True(SpinWait.SpinUntil(() => (span = ended.FirstOrDefault(a => a.GetTagItem("gen_ai.request.seed") is long s && s == seed)) is not null, 10_000));
            string?[] content = [.. ((string[])["gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.tool.definitions", "gen_ai.output.messages"]).Select(k => span!.GetTagItem(k) as string)];
            if (captures is not true)
            {
                Assert.All(content, Assert.Null);
                Assert.DoesNotContain(span!.TagObjects, static t => t.Value is string text && text.Contains("secret", StringComparison.Ordinal));
                continue;
            }

            Assert.Equal("""[{"type":"text","content":"Be brief."}]""", content[0]);
            Assert.Equal("""[{"role":"user","parts":[{"type":"text","content":"Tell me a \"secret\"."}]}]""", content[1]);
            Assert.Equal("f", (string)JsonNode.Parse(content[2]!)![0]!["name"]!);
            JsonNode reply = Assert.Single(JsonNode.Parse(content[3]!)!.AsArray())!;
            Assert.Equal(("assistant", said, "length"), ((string)reply["role"]!, (string)reply["parts"]![0]!["content"]!, (string)reply["finish_reason"]!));
        }
    }

    [Fact]
    public async Task ARequestIsASpanWithItsPartsBelowIt()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using var parent = new ActivitySource("test." + Guid.NewGuid().ToString("N"));
        var ended = new ConcurrentQueue<Activity>();
        var measured = new ConcurrentQueue<(string Name, double Value, string? Error)>();
        using var spans = new ActivityListener
        {
            ShouldListenTo = static s => s.Name == ServerTelemetry.Name,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(spans);
        using var meters = new MeterListener { InstrumentPublished = static (i, l) => { if (i.Meter.Name == ServerTelemetry.Name) { l.EnableMeasurementEvents(i); } } };
        meters.SetMeasurementEventCallback<double>((i, value, tags, _) => measured.Enqueue((i.Name, value, tags.ToArray().FirstOrDefault(static t => t.Key == "error.type").Value as string)));
        meters.Start();

        // Tests beside this one have spans too: these are known by their seed.
        JsonObject answer = await server.AskAsync("/v1/chat/completions", Chat + "}");
        await server.StreamAsync("/v1/chat/completions", Chat.Replace("\"seed\":7", "\"seed\":8", StringComparison.Ordinal) + ",\"stream\":true,\"n\":2}");
        Activity whole = Wait(7), streamed = Wait(8);
        Activity Wait(long seed)
        {
            Activity? found = null;
            Assert.True(SpinWait.SpinUntil(() => (found = ended.FirstOrDefault(a => a.GetTagItem("gen_ai.request.seed") is long s && s == seed && a.GetTagItem("gen_ai.response.id") is not null)) is not null, 10_000));
            return found!;
        }

        Assert.Equal("chat default", whole.DisplayName);
        (string Key, object Value)[] expected =
        [
            ("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "puna"), ("gen_ai.request.model", "default"), ("gen_ai.response.model", "puna-tiny"), ("gen_ai.output.type", "text"),
            ("gen_ai.request.temperature", 0.5), ("gen_ai.request.top_p", 0.9), ("gen_ai.request.max_tokens", 6), ("gen_ai.request.stream", false),
            ("gen_ai.response.id", answer["id"]!.GetValue<string>()), ("gen_ai.usage.input_tokens", answer["usage"]!["prompt_tokens"]!.GetValue<int>()),
            ("gen_ai.usage.output_tokens", answer["usage"]!["completion_tokens"]!.GetValue<int>()),
        ];
        Assert.All(expected, e => Assert.Equal(e.Value, whole.GetTagItem(e.Key)));
        Assert.Equal(["zebra"], (string[])whole.GetTagItem("gen_ai.request.stop_sequences")!);
        Assert.Equal(["length"], (string[])whole.GetTagItem("gen_ai.response.finish_reasons")!);
        Assert.Null(whole.GetTagItem("gen_ai.request.choice.count"));
        Assert.Equal((2, true), ((int)streamed.GetTagItem("gen_ai.request.choice.count")!, (bool)streamed.GetTagItem("gen_ai.request.stream")!));
        Assert.Equal(2, ((string[])streamed.GetTagItem("gen_ai.response.finish_reasons")!).Length);

        Activity[] parts = [.. ended.Where(a => a.ParentSpanId == whole.SpanId).OrderBy(static a => a.StartTimeUtc).ThenBy(static a => a.DisplayName == "queue" ? 0 : 1)];
        Assert.Equal(["queue", "prefill", "decode"], parts.Select(static p => p.DisplayName));
        Assert.All(parts, p => Assert.Equal(whole.TraceId, p.TraceId));

        // What was said is nowhere.
        Assert.DoesNotContain(ended.SelectMany(static a => a.TagObjects), static t => t.Value is string s && s.Contains("secret", StringComparison.Ordinal));
        string[] names = ["gen_ai.server.request.duration", "gen_ai.server.time_to_first_token", "gen_ai.server.time_per_output_token"];
        Assert.All(names, name => Assert.Contains(measured, m => m.Name == name && m.Value > 0 && m.Error is null));
    }

    [Fact]
    public async Task ACollectorThatIsNamedGetsThem()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using WebApplication collector = builder.Build();
        var got = new ConcurrentDictionary<string, string>();
        collector.Run(async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            got.AddOrUpdate(http.Request.Path, Encoding.Latin1.GetString(body.ToArray()), (_, before) => before + Encoding.Latin1.GetString(body.ToArray()));
        });
        await collector.StartAsync(Cancel);
        await using (RunningServer server = await RunningServer.StartAsync(new PunaServerOptions { OtlpEndpoint = collector.Urls.First(), OtlpProtocol = "http/protobuf" }))
        {
            await server.AskAsync("/v1/chat/completions", Chat + "}");
            await server.Http.GetStringAsync("/health", Cancel);
        }

        // All is sent when the server ends. Names are text in the messages; what was said is not in them, nor are the questions of health.
        Assert.Equal(["/v1/metrics", "/v1/traces"], got.Keys.Order(StringComparer.Ordinal));
        Assert.All(["gen_ai.usage.output_tokens", "chat default", "decode", "http.response.status_code", "service.name", "puna"], name => Assert.Contains(name, got["/v1/traces"], StringComparison.Ordinal));
        Assert.All(["gen_ai.server.time_to_first_token", "http.server.request.duration"], name => Assert.Contains(name, got["/v1/metrics"], StringComparison.Ordinal));
        Assert.DoesNotContain("secret", got["/v1/traces"] + got["/v1/metrics"], StringComparison.Ordinal);
        Assert.DoesNotContain("GET /health", got["/v1/traces"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost:4317")]
    [InlineData("ftp://localhost")]
    [InlineData("")]
    public void AnAddressThatIsNoneIsRefused(string endpoint) => Assert.Throws<Tensors.PunaException>(() => PunaServer.Check(new PunaServerOptions { OtlpEndpoint = endpoint }));
}
