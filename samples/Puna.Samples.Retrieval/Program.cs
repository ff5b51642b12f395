// Retrieval: the passage whose embedding is nearest to the question's goes into the prompt.
//   dotnet run --project samples/Puna.Samples.Retrieval -- [--model PATH] "Who has seven bags of salt?"
using System.Numerics.Tensors;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Puna.Extensions.AI;
using Puna.Samples;

string[] passages =
[
    "Pedro has 7 bags of salt. He lives in Uyuma and sells salt at the market.",
    "Rosa makes baskets from reeds. Her llama is black, and its name is Tinta.",
    "Andres wants to buy a new drum for his aunt. He has a red llama called Estrella.",
    "The stable was empty in the morning, because the rope had broken in the night.",
];
string? path = args is ["--model", var named, ..] ? named : null;
string question = args.Length > (path is null ? 0 : 2) ? args[^1] : "Who has seven bags of salt?";

var services = new ServiceCollection();
services.AddLogging();
LlamaEngineBuilder engine = services.AddLlamaEngine("retrieval", options => options.OpenModel = ops => SampleModel.Open(path, ops));
engine.AddChatClient();
engine.AddEmbeddingGenerator();
await using ServiceProvider provider = services.BuildServiceProvider();

var embeddings = provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
var known = await embeddings.GenerateAndZipAsync(passages);
Embedding<float> asked = await embeddings.GenerateAsync(question);
(string passage, float score) = known.Select(pair => (pair.Value, TensorPrimitives.CosineSimilarity(asked.Vector.Span, pair.Embedding.Vector.Span))).MaxBy(static found => found.Item2);
Console.WriteLine($"passage ({score:0.000}): {passage}");

ChatResponse response = await provider.GetRequiredService<IChatClient>().GetResponseAsync($"{passage}\n\n{question}", new ChatOptions { Temperature = 0, MaxOutputTokens = 60 });
Console.WriteLine($"answer: {response.Text}");
