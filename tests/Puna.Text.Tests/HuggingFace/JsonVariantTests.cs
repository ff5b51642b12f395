using System.Text;
using System.Text.Json.Nodes;
using Puna.Tests.Shared;
using Puna.Text.HuggingFace;

namespace Puna.Text.Tests.HuggingFace;

/// <summary>
/// json-variants.jsonl: changes of the two committed <c>tokenizer.json</c> files, one for each feature, and what the <c>tokenizers</c> library (0.21) makes of random texts and ids
/// with them. A case is [text, ids, decoded ids, other ids, these decoded without special tokens].
/// </summary>
public class JsonVariantTests
{
    private static readonly Dictionary<string, JsonObject> Variants = File.ReadLines(TestFiles.Fixture("tokenizers", "json-variants.jsonl"))
        .Select(static line => JsonNode.Parse(line)!.AsObject())
        .ToDictionary(static v => (string)v["name"]!);

    public static TheoryData<string> Names => [.. Variants.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Variant_behaves_as_in_the_original_library(string name)
    {
        JsonObject variant = Variants[name];
        Tokenizer tokenizer = TokenizerJsonReader.Read(Encoding.UTF8.GetBytes(Patched(variant).ToJsonString()), name);
        foreach (JsonNode? node in variant["cases"]!.AsArray())
        {
            JsonArray expected = node!.AsArray();
            string text = (string)expected[0]!;
            int[] ids = Ids(expected[1]!), others = Ids(expected[3]!);
            Assert.True(ids.AsSpan().SequenceEqual(tokenizer.Encode(text, SpecialTokens.All)), $"{expected[0]!.ToJsonString()}: {GoldenLine.Differ(ids, tokenizer.Encode(text, SpecialTokens.All))}");
            Assert.Equal((string)expected[2]!, tokenizer.Decode(ids));
            Assert.Equal((string)expected[4]!, tokenizer.Decode(others, skipSpecial: true));
            Assert.Equal((string)expected[2]!, TextArbitrary.Incremental(tokenizer, ids));
            Assert.Equal((string)expected[4]!, TextArbitrary.Incremental(tokenizer, others, skipSpecial: true));
        }
    }

    private static JsonObject Patched(JsonObject variant)
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(TestFiles.Fixture("tokenizers", (string)variant["base"]!, "tokenizer.json")))!.AsObject();
        JsonObject model = json["model"]!.AsObject(), vocab = model["vocab"]!.AsObject();
        foreach ((string key, JsonNode? value) in variant["set"]!.AsObject())
        {
            if (key == "model.vocab-")
            {
                foreach (JsonNode? token in value!.AsArray())
                {
                    vocab.Remove((string)token!);
                }

                IEnumerable<JsonNode?> left = model["merges"]!.AsArray().Where(m =>
                    vocab.ContainsKey((string)m![0]!) && vocab.ContainsKey((string)m[1]!) && vocab.ContainsKey((string)m[0]! + (string)m[1]!)).Select(static m => m!.DeepClone());
                model["merges"] = new JsonArray([.. left]);
            }
            else if (key.StartsWith("model.", StringComparison.Ordinal))
            {
                model[key["model.".Length..]] = value?.DeepClone();
            }
            else
            {
                json[key] = value?.DeepClone();
            }
        }

        return json;
    }

    private static int[] Ids(JsonNode ids) => [.. ids.AsArray().Select(static id => (int)id!)];
}
