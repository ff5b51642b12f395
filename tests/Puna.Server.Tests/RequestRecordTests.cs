using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Puna.Runtime.Serving;
using Puna.Server.Operations;

namespace Puna.Server.Tests;

/// <summary>How a request that is over is counted.</summary>
public sealed class RequestRecordTests : IAsyncLifetime
{
    private static readonly GenerationUsage Usage = new(3, 0, 2, 0, 0, 0, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);

    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(1, false, "stop", null)]
    [InlineData(1, true, "stop", null)]
    [InlineData(2, true, "abort", "cancelled")]
    [InlineData(2, false, "error", "internal_error")]
    public void AChoiceThatEndedSaysNothingOfTheOthers(int choices, bool hasGone, string reason, string? error)
    {
        using var gone = new CancellationTokenSource();
        (string metrics, string? type) = Count(choices, gone.Token, record =>
        {
            record.Ended("stop");
            if (hasGone)
            {
                gone.Cancel();
            }
        });
        Assert.Contains($"finished_reason=\"{reason}\"}} 1\n", metrics, StringComparison.Ordinal);
        Assert.Equal(error, type);
    }

    [Fact]
    public void WhatFailsHasItsOwnCode()
    {
        foreach ((Exception thrown, string code) in ((Exception, string)[])
        [
            (new EngineTimeoutException("late", inQueue: false), "request_timeout"), (new EngineFaultException("broken"), "engine_error"), (new OperationCanceledException(), "draining"), (new InvalidDataException(), "internal_error"),
        ])
        {
            (string metrics, string? type) = Count(1, CancellationToken.None, record =>
                Assert.Same(thrown, Assert.ThrowsAny<Exception>(() => record.WatchAsync(Task.FromException<int>(thrown)).GetAwaiter().GetResult())));
            Assert.Contains("finished_reason=\"error\"} 1\n", metrics, StringComparison.Ordinal);
            Assert.Equal(code, type);
        }
    }

    private (string Metrics, string? Error) Count(int choices, CancellationToken aborted, Action<RequestRecord> happens)
    {
        using ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var telemetry = new ServerTelemetry(services.GetRequiredService<IMeterFactory>());
        var metrics = new ServerMetrics("vllm", "m", _server.Engine);
        string? error = null, model = "m" + Guid.NewGuid().ToString("N");
        using var listener = new MeterListener { InstrumentPublished = static (i, l) => { if (i.Name == "gen_ai.server.request.duration") { l.EnableMeasurementEvents(i); } } };

        // Tests beside this one measure too: these are known by their model.
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            if (tags.ToArray().Any(t => t.Key == "gen_ai.request.model" && (string?)t.Value == model))
            {
                error = tags.ToArray().FirstOrDefault(static t => t.Key == "error.type").Value as string;
            }
        });
        listener.Start();
        using (var record = new RequestRecord(metrics, telemetry.Begin("chat", model, "m"), () => Usage, choices, null, aborted))
        {
            happens(record);
        }

        return (metrics.Write(), error);
    }
}
