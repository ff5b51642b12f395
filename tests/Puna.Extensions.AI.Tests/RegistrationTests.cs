using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Puna.Runtime.Constraints;
using Puna.Runtime.Serving;
using Puna.Tests.Shared;

namespace Puna.Extensions.AI.Tests;

public class RegistrationTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AHostLoadsAndEndsTheEngine()
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Llama:Engines:main:ModelPath"] = TestFiles.EmbeddedModel, ["Llama:Engines:main:MaxSequences"] = "3", ["Llama:Engines:main:ModelId"] = "configured" });
        LlamaEngineBuilder engine = builder.Services.AddLlamaEngine("main", static o => o.Threads = 1);
        engine.AddChatClient();
        engine.AddEmbeddingGenerator();
        IHost host = builder.Build();
        LlamaEngineService service = host.Services.GetRequiredKeyedService<LlamaEngineService>("main");
        var health = host.Services.GetRequiredService<HealthCheckService>();
        Assert.False(service.IsReady);
        Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync(Cancel)).Status);
        await host.StartAsync(Cancel);
        Assert.True(service.IsReady);
        HealthReport report = await health.CheckHealthAsync(Cancel);
        Assert.Equal((HealthStatus.Healthy, "llama-main"), (report.Status, Assert.Single(report.Entries).Key));
        Assert.Equal(3, service.Engine.Options.MaxSequences);

        var client = host.Services.GetRequiredService<IChatClient>();
        Assert.Same(client, host.Services.GetRequiredKeyedService<IChatClient>("main"));
        ChatResponse response = await client.GetResponseAsync("Hello!", new ChatOptions { MaxOutputTokens = 5 }, Cancel);
        Assert.Equal("configured", response.ModelId);
        Assert.Same(host.Services.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>(), host.Services.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("main"));

        await host.StopAsync(Cancel);
        Assert.False(service.IsReady);
        await Assert.ThrowsAsync<EngineBusyException>(() => client.GetResponseAsync("Hello!", cancellationToken: Cancel));
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    [Fact]
    public async Task AnEngineIsAsHealthyAsItSays()
    {
        var time = new Jumping();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(time);
        services.AddLlamaEngine("a", static o => o.ModelPath = TestFiles.EmbeddedModel);
        await using ServiceProvider provider = services.BuildServiceProvider();
        Engine engine = provider.GetRequiredKeyedService<LlamaEngineService>("a").Engine;
        var health = provider.GetRequiredService<HealthCheckService>();

        // A minute of one step is no illness where two are allowed; three are.
        using var gate = new ManualResetEventSlim();
        var running = new TaskCompletionSource();
        using GenerationHandle handle = engine.Submit(
            new GenerationRequest
            {
                Prompt = [300],
                Constraint = new Hanging(() =>
                {
                    running.TrySetResult();
                    gate.Wait(Cancel);
                }),
            },
            Cancel);
        await running.Task;
        try
        {
            time.Jump(TimeSpan.FromMinutes(1));
            Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync(Cancel)).Status);
            time.Jump(TimeSpan.FromMinutes(2));
            HealthReport report = await health.CheckHealthAsync(Cancel);
            Assert.Equal((HealthStatus.Unhealthy, "the engine has ended by an error, or a step takes too long"), (report.Status, report.Entries["llama-a"].Description));
        }
        finally
        {
            gate.Set();
        }
    }

    [Fact]
    public async Task AnEngineWithoutAModelDoesNotStart()
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddLlamaEngine("main", static o => (o.MaxSequences, o.Threads) = (0, null));
        using IHost host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Cancel));
        Assert.Equal(["engine main: expected a ModelPath, got none", "engine main: expected limits and threads of 1 or more, got fewer"], error.Failures);
    }

    [Fact]
    public async Task WithoutAHostTheFirstWhoAsksLoads()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddLlamaEngine("a", static o => o.ModelPath = TestFiles.EmbeddedModel).AddChatClient();
        services.AddLlamaEngine("b", static o => o.ModelPath = TestFiles.EmbeddedModel).AddChatClient();
        await using ServiceProvider provider = services.BuildServiceProvider();
        // The first one registered is the default.
        Assert.Same(provider.GetRequiredKeyedService<IChatClient>("a"), provider.GetRequiredService<IChatClient>());
        Assert.NotSame(provider.GetRequiredKeyedService<IChatClient>("a"), provider.GetRequiredKeyedService<IChatClient>("b"));
    }

    private sealed class Jumping : TimeProvider
    {
        private long _ahead;

        public void Jump(TimeSpan by) => Interlocked.Add(ref _ahead, (long)(by.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _ahead);
    }

    private sealed class Hanging(Action act) : ITokenConstraint
    {
        public ConstraintState Start() => new State(act);

        private sealed class State(Action act) : ConstraintState
        {
            public override bool IsAccepting => true;

            public override bool IsFinished => false;

            public override void FillMask(Span<uint> mask)
            {
                act();
                mask.Fill(uint.MaxValue);
            }

            public override bool TryAccept(int token) => true;

            public override ConstraintState Clone() => new State(act);
        }
    }
}
