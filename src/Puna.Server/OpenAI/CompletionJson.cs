using System.Text.Json.Nodes;
using Puna.Runtime.Sampling;
using Puna.Server.Http;
using Puna.Text;

namespace Puna.Server.OpenAI;

/// <summary>Answers and stream events of <c>/v1/completions</c>.</summary>
internal sealed class CompletionJson(string model, string fingerprint, Tokenizer tokenizer, bool hasLogProbs, bool hasUsage)
{
    private readonly string _id = Ids.New("cmpl-");
    private readonly long _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>The number of the answer.</summary>
    public string Id => _id;

    /// <summary>Whether log-probabilities were asked for.</summary>
    public bool HasLogProbs => hasLogProbs;

    /// <summary>A whole answer.</summary>
    public JsonObject Whole(IReadOnlyList<CompletionText> texts, int promptTokens, int generated, int cached)
    {
        JsonObject answer = Head();
        answer["choices"] = new JsonArray([.. texts.Select(Choice)]);
        answer["usage"] = Usage(promptTokens, generated, cached);
        return answer;
    }

    /// <summary>A stream event.</summary>
    public JsonObject Chunk(int index, CompletionText piece)
    {
        JsonObject chunk = Head();
        chunk["choices"] = new JsonArray(Choice(piece, index));
        if (hasUsage)
        {
            chunk["usage"] = null;
        }

        return chunk;
    }

    /// <summary>The last event, where usage was asked for.</summary>
    public JsonObject UsageChunk(int promptTokens, int generated, int cached)
    {
        JsonObject chunk = Head();
        chunk["choices"] = new JsonArray();
        chunk["usage"] = Usage(promptTokens, generated, cached);
        return chunk;
    }

    private static JsonObject Usage(int promptTokens, int generated, int cached) => new()
    {
        ["prompt_tokens"] = promptTokens, ["completion_tokens"] = generated, ["total_tokens"] = promptTokens + generated, ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = cached },
    };

    private JsonObject Choice(CompletionText text, int index) => new()
    {
        ["index"] = index, ["text"] = text.Text, ["logprobs"] = hasLogProbs ? LogProbs(text) : null, ["finish_reason"] = text.Finish,
    };

    private JsonObject LogProbs(CompletionText text)
    {
        var top = new JsonArray();
        foreach (CompletionToken token in text.Tokens)
        {
            if (token.LogProbs is null)
            {
                top.Add((JsonNode?)null);
                continue;
            }

            var likely = new JsonObject();
            foreach (TokenLogProb other in token.LogProbs.Top)
            {
                // Different tokens may have one text, where bytes are no characters: the likelier counts.
                likely.TryAdd(LogProbsJson.Text(other.Token, tokenizer), LogProbsJson.Value(other.LogProb));
            }

            top.Add((JsonNode)likely);
        }

        return new JsonObject
        {
            ["tokens"] = new JsonArray([.. text.Tokens.Select(t => (JsonNode)LogProbsJson.Text(t.Token, tokenizer))]),
            ["token_logprobs"] = new JsonArray([.. text.Tokens.Select(static t => t.LogProbs is null ? null : (JsonNode)LogProbsJson.Value(t.LogProbs.Chosen.LogProb))]),
            ["top_logprobs"] = top,
            ["text_offset"] = new JsonArray([.. text.Tokens.Select(static t => (JsonNode)t.Offset)]),
        };
    }

    private JsonObject Head() => new() { ["id"] = _id, ["object"] = "text_completion", ["created"] = _created, ["model"] = model, ["system_fingerprint"] = fingerprint };
}
