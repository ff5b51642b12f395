using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Puna.Extensions.AI;

/// <summary>Registers what is made of an engine. Get one from <see cref="PunaServiceCollectionExtensions.AddLlamaEngine"/>.</summary>
public sealed class LlamaEngineBuilder
{
    internal LlamaEngineBuilder(IServiceCollection services, string name) => (Services, Name) = (services, name);

    /// <summary>Where it registers.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The name of the engine, the key of its services.</summary>
    public string Name { get; }

    /// <summary>
    /// Registers an <see cref="IChatClient"/> by the engine's name, and as the default where there is none yet. Both are the same, with what is added to the result:
    /// <c>AddChatClient().UseFunctionInvocation().UseOpenTelemetry()</c>.
    /// </summary>
    public ChatClientBuilder AddChatClient()
    {
        string name = Name;
        ChatClientBuilder builder = Services.AddKeyedChatClient(name, services =>
        {
            LlamaEngineService service = services.GetRequiredKeyedService<LlamaEngineService>(name);
            return new PunaChatClient(service.Chat, service.Options.ModelId, services.GetService<TimeProvider>(), service.Adapters);
        });
        Services.TryAddSingleton(services => services.GetRequiredKeyedService<IChatClient>(name));
        return builder;
    }

    /// <summary>Registers an <see cref="IEmbeddingGenerator{String, Embedding}"/> by the engine's name, and as the default where there is none yet.</summary>
    public EmbeddingGeneratorBuilder<string, Embedding<float>> AddEmbeddingGenerator()
    {
        string name = Name;
        EmbeddingGeneratorBuilder<string, Embedding<float>> builder = Services.AddKeyedEmbeddingGenerator(name, services =>
        {
            LlamaEngineService service = services.GetRequiredKeyedService<LlamaEngineService>(name);
            return (IEmbeddingGenerator<string, Embedding<float>>)new PunaEmbeddingGenerator(service.Engine, service.Options.Pooling, service.Options.ModelId, services.GetService<TimeProvider>());
        });
        Services.TryAddSingleton(services => services.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>(name));
        return builder;
    }
}
