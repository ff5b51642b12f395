using System.Text;
using System.Text.Json.Nodes;
using Puna.Runtime.Sampling;
using Puna.Text;

namespace Puna.Server.OpenAI;

/// <summary>Log-probabilities as OpenAI writes them. They are the model's own, before penalties, temperature and masks.</summary>
internal static class LogProbsJson
{
    // The least that is finite: JSON has no infinity.
    private const double Least = -9999;

    /// <summary>For chat completions: <c>{token, logprob, bytes, top_logprobs}</c>.</summary>
    public static JsonObject Chat(TokenLogProbs token, Tokenizer tokenizer)
    {
        JsonObject result = One(token.Chosen, tokenizer);
        result["top_logprobs"] = new JsonArray([.. token.Top.Select(t => One(t, tokenizer))]);
        return result;
    }

    /// <summary>The number, finite.</summary>
    public static double Value(float logProb) => double.IsFinite(logProb) ? Math.Max(Least, logProb) : Least;

    /// <summary>A token's text; bytes that are no characters are shown as replacements.</summary>
    public static string Text(int token, Tokenizer tokenizer) => tokenizer.IsSpecial(token) ? tokenizer.Piece(token) : Encoding.UTF8.GetString(tokenizer.TokenBytes(token));

    private static JsonObject One(TokenLogProb token, Tokenizer tokenizer) => new()
    {
        ["token"] = Text(token.Token, tokenizer),
        ["logprob"] = Value(token.LogProb),
        ["bytes"] = new JsonArray([.. (tokenizer.IsSpecial(token.Token) ? Encoding.UTF8.GetBytes(tokenizer.Piece(token.Token)) : tokenizer.TokenBytes(token.Token).ToArray()).Select(static b => (JsonNode)(int)b)]),
    };
}
