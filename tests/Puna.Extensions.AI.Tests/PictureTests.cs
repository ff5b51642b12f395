using System.ClientModel;
using Microsoft.Extensions.AI;
using OpenAI;
using Puna.Runtime.Chat;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Server;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Extensions.AI.Tests;

/// <summary>Pictures through the abstractions, in this process and through the official package of OpenAI from Puna's server: the same reply both ways.</summary>
public sealed class PictureTests : IDisposable
{
    private static readonly ChatOptions Options = new() { Temperature = 0, MaxOutputTokens = 8 };
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-pictures-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static byte[] Png => File.ReadAllBytes(TestFiles.Golden("images", "tiny.png"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task BothClientsShowPictures(bool isFused)
    {
        string path = Path.Combine(_folder, "model");
        using LanguageModel model = LanguageModel.Open(isFused ? SeeingModels.WriteFused(path) : SeeingModels.WriteCrossed(path));
        using var ops = new CpuOps(2);
        await using Engine engine = Engine.Start(model, ops);
        await using PunaServer server = PunaServer.Create(new PunaServerOptions { Port = 0, ApiKeys = ["key"] }, new ServedModel("seeing", engine));
        await server.StartAsync(Cancel);
        using IChatClient own = new PunaChatClient(new ChatEngine(engine), "seeing");
        using IChatClient served = new OpenAIClient(new ApiKeyCredential("key"), new OpenAIClientOptions { Endpoint = new Uri(server.Address + "/v1") }).GetChatClient("seeing").AsIChatClient();
        byte[] other = File.ReadAllBytes(TestFiles.Golden("images", "square.png"));
        ChatResponse reply = await Ask(own, new DataContent(Png, "image/png"), new TextContent("ab")), same = await Ask(served, new DataContent(Png, "image/png"), new TextContent("ab"));
        Assert.Equal((reply.Text, reply.Usage!.InputTokenCount), (same.Text, same.Usage!.InputTokenCount));
        Assert.NotEqual(reply.Text, (await Ask(own, new TextContent("ab"))).Text);
        Assert.Equal(reply.Text, (await Ask(own, new UriContent("data:image/png;base64," + Convert.ToBase64String(Png), "image/png"), new TextContent("ab"))).Text);

        // Two pictures, each at its place in the text.
        AIContent[] two = [new DataContent(Png, "image/png"), new TextContent("ab"), new DataContent(other, "image/png"), new TextContent("c")];
        reply = await Ask(own, two);
        same = await Ask(served, two);
        Assert.Equal((reply.Text, reply.Usage!.InputTokenCount), (same.Text, same.Usage!.InputTokenCount));
        Assert.Equal(2, engine.Statistics().EncodedImages);

        Assert.Contains("expected a data: URI", (await Assert.ThrowsAsync<NotSupportedException>(() => Ask(own, new UriContent("https://example.org/llama.png", "image/png")))).Message, StringComparison.Ordinal);
        Assert.Contains("expected data of an image, got audio/wav", (await Assert.ThrowsAsync<NotSupportedException>(() => Ask(own, new DataContent(Png, "audio/wav")))).Message, StringComparison.Ordinal);
        Assert.Contains("expected PNG, GIF, JPEG or WebP", (await Assert.ThrowsAsync<InvalidImageException>(() => Ask(own, new DataContent(new byte[] { 1, 2, 3 }, "image/png")))).Message, StringComparison.Ordinal);
        Assert.Equal(400, (await Assert.ThrowsAsync<ClientResultException>(() => Ask(served, new DataContent(new byte[] { 1, 2, 3 }, "image/png")))).Status);
        Assert.Equal(400, (await Assert.ThrowsAsync<ClientResultException>(() => Ask(served, new UriContent("https://example.org/llama.png", "image/png")))).Status);
        await server.StopAsync();
    }

    private static Task<ChatResponse> Ask(IChatClient client, params AIContent[] contents) => client.GetResponseAsync([new ChatMessage(ChatRole.User, contents)], Options, Cancel);
}
