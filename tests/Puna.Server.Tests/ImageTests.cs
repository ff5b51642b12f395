using System.Net;
using System.Text.Json.Nodes;
using Puna.Formats.Images;
using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text.Chat;

namespace Puna.Server.Tests;

/// <summary>Pictures in the requests of all APIs. What comes back is what a <see cref="Session"/> says about the same picture at the same place.</summary>
public sealed class ImageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-images-").FullName;

    private static string Png => TestFiles.Golden("images", "tiny.png");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EveryApiShowsThePicture(bool isFused)
    {
        string model = Write(isFused), data = Base64(Png), url = "data:image/png;base64," + data;
        await using RunningServer server = await RunningServer.StartAsync(model: model);
        (string text, int tokens) = Alone(model, "ab", (Png, 0));
        (string between, int betweenTokens) = Alone(model, "ab", (Png, 1));
        Assert.NotEqual(Alone(model, "ab").Text, text);

        JsonObject chat = await server.AskAsync("/v1/chat/completions", Chat($"[{Part(url, ",\"detail\":\"high\"")},{Text("ab")}]"));
        Assert.Equal((text, tokens), (chat["choices"]![0]!["message"]!["content"]!.GetValue<string>(), chat["usage"]!["prompt_tokens"]!.GetValue<int>()));
        chat = await server.AskAsync("/v1/chat/completions", Chat($"[{Text("a")},{Part(url)},{Text("b")}]"));
        Assert.Equal((between, betweenTokens), (chat["choices"]![0]!["message"]!["content"]!.GetValue<string>(), chat["usage"]!["prompt_tokens"]!.GetValue<int>()));
        List<(string? Name, JsonObject? Data)> events = await server.StreamAsync("/v1/chat/completions", Chat($"[{Part(url)},{Text("ab")}]", ",\"stream\":true"));
        Assert.Equal(text, string.Concat(events.Select(static e => e.Data?["choices"]?[0]?["delta"]?["content"]?.GetValue<string>())));

        JsonObject response = await server.AskAsync("/v1/responses", Response($$"""{"type":"input_image","image_url":"{{url}}","detail":"auto"},{"type":"input_text","text":"ab"}"""));
        Assert.Equal((text, tokens), (response["output"]![0]!["content"]![0]!["text"]!.GetValue<string>(), response["usage"]!["input_tokens"]!.GetValue<int>()));

        JsonObject message = await server.AskAsync("/v1/messages", Anthropic($"{Block($$"""{"type":"base64","media_type":"image/png","data":"{{data}}"}""")},{Text("ab")}"));
        JsonNode usage = message["usage"]!;
        Assert.Equal((text, tokens), (message["content"]![0]!["text"]!.GetValue<string>(), usage["input_tokens"]!.GetValue<int>() + usage["cache_read_input_tokens"]!.GetValue<int>()));
        JsonObject counted = await server.AskAsync("/v1/messages/count_tokens", Anthropic($"{Block($$"""{"type":"base64","media_type":"image/png","data":"{{data}}"}""")},{Text("ab")}"));
        Assert.Equal(tokens, counted["input_tokens"]!.GetValue<int>());

        JsonObject ollama = await server.AskAsync("/api/chat", Ollama("\"messages\":[{\"role\":\"user\",\"content\":\"ab\",\"images\":[\"" + data + "\"]}]"));
        Assert.Equal((text, tokens), (ollama["message"]!["content"]!.GetValue<string>(), ollama["prompt_eval_count"]!.GetValue<int>()));
        ollama = await server.AskAsync("/api/generate", Ollama("\"prompt\":\"ab\",\"images\":[\"" + data + "\"]"));
        Assert.Equal((text, tokens), (ollama["response"]!.GetValue<string>(), ollama["prompt_eval_count"]!.GetValue<int>()));

        // It was the same picture all the time.
        Assert.Equal(1, server.Engine.Statistics().EncodedImages);
        Assert.Equal("""["text","image"]""", JsonNode.Parse(await server.Http.GetStringAsync("/v1/models", TestContext.Current.CancellationToken))!["data"]![0]!["input_modalities"]!.ToJsonString());
        Assert.Contains("vision", (await server.AskAsync("/api/show", """{"model":"default"}"""))["capabilities"]!.AsArray().Select(static c => c!.GetValue<string>()));
    }

    [Fact]
    public async Task WhatIsNoPictureIsRefusedInTheShapeOfTheApi()
    {
        await using RunningServer server = await RunningServer.StartAsync(engine: new EngineOptions { MaxImages = 2, ImageLimits = new ImageLimits(100_000, 1000) }, model: Write(isFused: false));
        string data = Base64(Png), url = "data:image/png;base64," + data, large = Convert.ToBase64String(new byte[200_000]), wide = Base64(TestFiles.Golden("images", "panorama.png"));
        foreach ((string bad, string said) in ((string, string)[])
        [
            ("https://example.org/llama.png", "expected a data: URL, got one of the web, and this server fetches nothing"), ("file:///etc/hosts", "expected a data: URL, got another one"), ("", "expected a data: URL, got another one"),
            ("data:image/png;base64,%%%", "expected base64"), ("data:image/png;base64,QUJ", "expected base64"), ("data:image/png;base64,", "got no bytes"), ("data:image/png,abc", "expected a data: URL in base64"),
            ("data:image/svg+xml;base64,QUJD", "expected image/png, image/jpeg, image/webp or image/gif, got image/svg+xml"), ("data:;base64,QUJD", "got no type"), ("data:image/png;base64,QUJD", "image: expected PNG, GIF, JPEG or WebP"),
            ("data:image/png;base64," + large, "expected a picture of at most 100000 bytes"), ("data:image/png;base64," + wide, "expected 1 to 1000 pixels"),
            ("data:image/png;base64," + Convert.ToBase64String(File.ReadAllBytes(Png)[..60]), "picture 1 of message 1"),
        ])
        {
            await OpenAI("/v1/chat/completions", Chat($"[{Part(bad)}]"), "invalid_image", said);
            await OpenAI("/v1/responses", Response($$"""{"type":"input_image","image_url":"{{bad}}"}"""), "invalid_image", said);
        }

        await OpenAI("/v1/chat/completions", Chat($"[{Part(url)},{Part(url)},{Part(url)}]"), "invalid_image", "images: expected at most 2 in a request, got 3");
        await OpenAI("/v1/chat/completions", Chat($"[{Part(url, ",\"detail\":\"huge\"")}]"), "invalid_value", "expected auto, low or high, got huge");
        await OpenAI("/v1/chat/completions", Chat("""[{"type":"image_url"}]"""), "missing_required_parameter", "image_url");
        await OpenAI("/v1/responses", Response("""{"type":"input_image","file_id":"f"}"""), "unsupported_parameter", "file_id: expected none");
        await OpenAI("/v1/chat/completions", Chat($"[{Part(url)}]").Replace("user", "system", StringComparison.Ordinal), "unsupported_parameter", "these stand in a user's messages alone");
        foreach ((string source, string said) in ((string, string)[])
        [
            ("""{"type":"url","url":"https://example.org/llama.png"}""", "expected base64, got url: this server fetches nothing"), ("""{"type":"base64","media_type":"image/bmp","data":"QUJD"}""", "got image/bmp"),
            ("""{"type":"base64","media_type":"image/png","data":"???"}""", "expected base64"), ("""{"type":"base64","media_type":"image/png","data":"QUJD"}""", "image: expected PNG, GIF, JPEG or WebP"),
        ])
        {
            JsonNode error = await Refused("/v1/messages", Anthropic(Block(source)));
            Assert.Equal("invalid_request_error", error["error"]!["type"]!.GetValue<string>());
            Assert.Contains(said, error["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        }

        foreach ((string images, string said) in ((string, string)[])[("[7]", "images[0]: expected a picture as base64, got 7"), ("[\"???\"]", "expected base64"), ("[\"QUJD\"]", "image: expected PNG, GIF, JPEG or WebP")])
        {
            Assert.Contains(said, (await Refused("/api/chat", Ollama("\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"images\":" + images + "}]")))["error"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.Contains(said, (await Refused("/api/generate", Ollama("\"prompt\":\"x\",\"images\":" + images)))["error"]!.GetValue<string>(), StringComparison.Ordinal);
        }

        Assert.Contains("with raw", (await Refused("/api/generate", Ollama("\"prompt\":\"x\",\"raw\":true,\"images\":[\"" + data + "\"]")))["error"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("in a user's message", (await Refused("/api/chat", Ollama("\"messages\":[{\"role\":\"assistant\",\"content\":\"x\",\"images\":[\"" + data + "\"]}]")))["error"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(0, server.Engine.Statistics().EncodedImages);

        async Task OpenAI(string path, string body, string code, string said)
        {
            JsonNode error = (await Refused(path, body))["error"]!;
            Assert.Equal(code, error["code"]!.GetValue<string>());
            Assert.Contains(said, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        }

        async Task<JsonNode> Refused(string path, string body)
        {
            (HttpStatusCode status, string text) = await server.PostAsync(path, body);
            Assert.True(status == HttpStatusCode.BadRequest, text);
            return JsonNode.Parse(text)!;
        }
    }

    [Fact]
    public async Task AModelThatDoesNotSeeSaysSo()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string data = Base64(Png), url = "data:image/png;base64," + data;
        foreach ((string path, string body) in ((string, string)[])
        [
            ("/v1/chat/completions", Chat($"[{Part(url)}]")), ("/v1/responses", Response($$"""{"type":"input_image","image_url":"{{url}}"}""")),
            ("/v1/messages", Anthropic(Block($$"""{"type":"base64","media_type":"image/png","data":"{{data}}"}"""))),
            ("/api/chat", Ollama("\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"images\":[\"" + data + "\"]}]")), ("/api/generate", Ollama("\"prompt\":\"x\",\"images\":[\"" + data + "\"]")),
        ])
        {
            (HttpStatusCode status, string text) = await server.PostAsync(path, body);
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Contains("expected text alone, got a picture, which puna-tiny does not see", text, StringComparison.Ordinal);
        }

        Assert.Equal("""["text"]""", JsonNode.Parse(await server.Http.GetStringAsync("/v1/models", TestContext.Current.CancellationToken))!["data"]![0]!["input_modalities"]!.ToJsonString());

        // Bodies with pictures may be larger than those of text. The answer comes before the body, which the server would not read.
        string filled = $$"""{"model":"default","filler":"{{new string('x', 33 << 20)}}"}""";
        server.Http.DefaultRequestHeaders.ExpectContinue = true;
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await server.PostAsync("/v1/chat/completions", filled)).Status);
        await using RunningServer seeing = await RunningServer.StartAsync(model: Write(isFused: false));
        Assert.Equal(HttpStatusCode.BadRequest, (await seeing.PostAsync("/v1/chat/completions", filled)).Status);
    }

    private static string Base64(string path) => Convert.ToBase64String(File.ReadAllBytes(path));

    private static string Text(string text) => $$"""{"type":"text","text":"{{text}}"}""";

    private static string Part(string url, string more = "") => "{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + url + "\"" + more + "}}";

    private static string Block(string source) => "{\"type\":\"image\",\"source\":" + source + "}";

    private static string Chat(string content, string more = "") => "{\"model\":\"default\",\"temperature\":0,\"max_tokens\":8,\"messages\":[{\"role\":\"user\",\"content\":" + content + "}]" + more + "}";

    private static string Response(string parts) => "{\"model\":\"default\",\"temperature\":0,\"max_output_tokens\":8,\"input\":[{\"role\":\"user\",\"content\":[" + parts + "]}]}";

    private static string Anthropic(string blocks) => "{\"model\":\"default\",\"temperature\":0,\"max_tokens\":8,\"messages\":[{\"role\":\"user\",\"content\":[" + blocks + "]}]}";

    private static string Ollama(string members) => "{\"model\":\"default\",\"stream\":false,\"options\":{\"temperature\":0,\"num_predict\":8}," + members + "}";

    private static (string Text, int Tokens) Alone(string path, string text, params (string File, int At)[] pictures)
    {
        using LanguageModel model = LanguageModel.Open(path);
        using var ops = new CpuOps(2);
        using var session = new Session(model, ops);
        TiledImage[] tiles = [.. pictures.Select(p => model.Images!.Process(ImageReader.Read(p.File)))];
        int perTile = model.Llama.Config.Llama4?.Vision?.TokensPerTile ?? 1;
        ChatFormat format = model.Chat!.Format!;
        var message = new ChatMessage(ChatRole.User, text) { Images = [.. tiles.Select((t, i) => new ChatImage(t.Grid.Rows, t.Grid.Columns, perTile) { At = pictures[i].At })] };
        int[] prompt = format.Encode([message], model.Tokenizer!);
        var options = new GenerationOptions { MaxTokens = 8, Sampling = SamplingOptions.Greedy, StopIds = [.. format.StopIds(model.Tokenizer!).Concat(model.StopIds)] };
        return (string.Concat(session.Generate(prompt, tiles, options, TestContext.Current.CancellationToken).Select(static s => s.Text)), prompt.Length);
    }

    private string Write(bool isFused)
    {
        string folder = Path.Combine(_folder, isFused ? "fused" : "crossed");
        return Directory.Exists(folder) ? folder : isFused ? SeeingModels.WriteFused(folder) : SeeingModels.WriteCrossed(folder);
    }
}
