using System.Net;
using System.Text.Json.Nodes;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Server.Tests;

/// <summary>Prompts that come back with their log-probabilities, as evaluation harnesses ask for them; the oracle is a <see cref="Session"/>.</summary>
public sealed class EchoTests : IAsyncLifetime
{
    private const string Prompt = "Once upon a time, a llama lived in the village of Huari.";
    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(6)]
    public async Task APromptComesBackWithItsLogProbabilities(int tokens)
    {
        JsonNode choice = (await Ask($"\"{Prompt}\"", tokens))["choices"]![0]!;
        JsonNode found = choice["logprobs"]!;
        using LanguageModel model = LanguageModel.Open(TestFiles.EmbeddedModel);
        int[] ids = model.Tokenizer!.EncodePrompt(Prompt);
        string text = choice["text"]!.GetValue<string>();
        Assert.StartsWith(Prompt, text, StringComparison.Ordinal);
        Assert.Equal("length", choice["finish_reason"]!.GetValue<string>());
        Assert.All(["tokens", "token_logprobs", "top_logprobs", "text_offset"], list => Assert.Equal(ids.Length + tokens, found[list]!.AsArray().Count));

        // Nothing stands before the first token; each of the others is as likely as a session says.
        Assert.Null(found["token_logprobs"]![0]);
        Assert.Null(found["top_logprobs"]![0]);
        using var ops = new CpuOps(2);
        using var session = new Session(model, ops);
        int[] all = [.. Enumerable.Range(0, model.Tokenizer.VocabularySize)];
        for (int i = 1; i < ids.Length; i++)
        {
            float[] expected = session.LogProbabilities(ids[..i], all, TestContext.Current.CancellationToken);
            Assert.Equal(expected[ids[i]], (float)found["token_logprobs"]![i]!.GetValue<double>());
            JsonObject top = found["top_logprobs"]![i]!.AsObject();
            Assert.InRange(top.Count, 1, 2);
            Assert.Equal(expected.Max(), (float)top[0]!.GetValue<double>());
        }

        // Offsets say where the tokens' texts stand.
        int[] offsets = [.. found["text_offset"]!.AsArray().Select(static o => o!.GetValue<int>())];
        for (int i = 0; i < offsets.Length; i++)
        {
            string token = found["tokens"]![i]!.GetValue<string>();
            int end = i + 1 < offsets.Length ? offsets[i + 1] : text.Length;
            Assert.Equal(i < ids.Length && model.Tokenizer.IsSpecial(ids[i]) ? "" : token, text[offsets[i]..end]);
        }
    }

    [Fact]
    public async Task APromptOfIdsHasAsManyPlacesAsIds()
    {
        JsonArray choices = (await Ask("[[300,301,302],[400]]", 1, ",\"n\":2"))["choices"]!.AsArray();
        Assert.Equal([4, 4, 2, 2], choices.Select(static c => c!["logprobs"]!["tokens"]!.AsArray().Count));
        Assert.Equal(choices[0]!["logprobs"]!["token_logprobs"]![2]!.ToJsonString(), choices[1]!["logprobs"]!["token_logprobs"]![2]!.ToJsonString());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task AStreamSaysTheSame(int tokens)
    {
        JsonNode whole = (await Ask($"\"{Prompt}\"", tokens))["choices"]![0]!;
        var lists = new Dictionary<string, JsonArray> { ["tokens"] = [], ["token_logprobs"] = [], ["top_logprobs"] = [], ["text_offset"] = [] };
        string text = "";
        foreach ((_, JsonObject? data) in (await _server.StreamAsync("/v1/completions", Body($"\"{Prompt}\"", tokens, ",\"stream\":true"))).SkipLast(1))
        {
            JsonNode piece = data!["choices"]![0]!;
            text += piece["text"]!.GetValue<string>();
            foreach ((string name, JsonArray list) in lists)
            {
                foreach (JsonNode? item in piece["logprobs"]![name]!.AsArray())
                {
                    list.Add(item?.DeepClone());
                }
            }
        }

        Assert.Equal(whole["text"]!.GetValue<string>(), text);
        Assert.All(lists, list => Assert.Equal(whole["logprobs"]![list.Key]!.ToJsonString(), list.Value.ToJsonString()));
    }

    [Fact]
    public async Task WithoutEchoOnlyWhatIsGeneratedHasLogProbabilities()
    {
        JsonObject answer = await _server.AskAsync("/v1/completions", $$"""{"model":"default","prompt":"{{Prompt}}","max_tokens":3,"temperature":0,"logprobs":2}""");
        Assert.Equal(3, answer["choices"]![0]!["logprobs"]!["tokens"]!.AsArray().Count);
        (HttpStatusCode status, _) = await _server.PostAsync("/v1/completions", """{"model":"default","prompt":"x","max_tokens":-1,"echo":true,"logprobs":1}""");
        Assert.Equal(HttpStatusCode.BadRequest, status);
    }

    private Task<JsonObject> Ask(string prompt, int tokens, string extra = "") => _server.AskAsync("/v1/completions", Body(prompt, tokens, extra));

    private static string Body(string prompt, int tokens, string extra) =>
        $$"""{"model":"default","prompt":{{prompt}},"max_tokens":{{tokens}},"temperature":0,"ignore_eos":true,"echo":true,"logprobs":2{{extra}}}""";
}
