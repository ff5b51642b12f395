using System.ClientModel;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Puna.Extensions.AI.Tests;

/// <summary>The contract behind Puna's server, through the official package of OpenAI.</summary>
public sealed class ServerContractTests(ServedEngine served) : ChatClientContract, IClassFixture<ServedEngine>
{
    protected override IChatClient Create() =>
        new OpenAIClient(new ApiKeyCredential("key"), new OpenAIClientOptions { Endpoint = new Uri(served.Address + "/v1") }).GetChatClient("puna-tiny").AsIChatClient();

    [Fact]
    public async Task AnotherKeyIsRefused()
    {
        using IChatClient client = new OpenAIClient(new ApiKeyCredential("other"), new OpenAIClientOptions { Endpoint = new Uri(served.Address + "/v1") }).GetChatClient("puna-tiny").AsIChatClient();
        Assert.Equal(401, (await Assert.ThrowsAsync<ClientResultException>(() => client.GetResponseAsync("Hello!", cancellationToken: TestContext.Current.CancellationToken))).Status);
    }

    [Fact]
    public async Task EmbeddingsAreThoseOfTheGeneratorInThisProcess()
    {
        using IEmbeddingGenerator<string, Embedding<float>> client =
            new OpenAIClient(new ApiKeyCredential("key"), new OpenAIClientOptions { Endpoint = new Uri(served.Address + "/v1") }).GetEmbeddingClient("puna-tiny").AsIEmbeddingGenerator();
        using var own = new PunaEmbeddingGenerator(served.Engine);
        string[] texts = ["Once upon a time", "Pedro had 7 bags of salt"];
        GeneratedEmbeddings<Embedding<float>> theirs = await client.GenerateAsync(texts, cancellationToken: TestContext.Current.CancellationToken);
        GeneratedEmbeddings<Embedding<float>> ours = await own.GenerateAsync(texts, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(ours.Select(static e => e.Vector.ToArray()), theirs.Select(static e => e.Vector.ToArray()));
    }
}
