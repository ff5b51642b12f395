using System.Globalization;
using System.Text.Json;
using Puna.Runtime.Sampling;
using Puna.Server.Http;

namespace Puna.Server.OpenAI;

/// <summary>The members of OpenAI's requests that say how tokens are chosen, with the extensions that other servers have too (spec serving.md 3.1).</summary>
internal static class SamplingFields
{
    private const int MostBiases = 1024;

    /// <summary>Reads them.</summary>
    /// <param name="body">The request.</param>
    /// <param name="vocabulary">Number of tokens.</param>
    /// <param name="logProbs">How many alternatives to report, or null.</param>
    public static SamplingOptions Read(RequestObject body, int vocabulary, int? logProbs) => new()
    {
        Temperature = body.Number("temperature", 0, 2) ?? 1,
        TopP = body.Number("top_p", 0, 1) ?? 1,
        TopK = Math.Max(0, body.Int("top_k", -1) ?? 0),
        MinP = body.Number("min_p", 0, 1) ?? 0,
        TypicalP = body.Number("typical_p", 0.001, 1) ?? 1,
        XtcProbability = body.Number("xtc_probability", 0, 1) ?? 0,
        XtcThreshold = body.Number("xtc_threshold", 0, 1) ?? 0.1,
        DryMultiplier = body.Number("dry_multiplier", 0, 100) ?? 0,
        DryBase = body.Number("dry_base", 1, 100) ?? 1.75,
        DryAllowedLength = body.Int("dry_allowed_length", 1, 1 << 20) ?? 2,
        RepetitionPenalty = body.Number("repetition_penalty", 0.01, 100) ?? body.Number("repeat_penalty", 0.01, 100) ?? 1,
        FrequencyPenalty = body.Number("frequency_penalty", -2, 2) ?? 0,
        PresencePenalty = body.Number("presence_penalty", -2, 2) ?? 0,
        Seed = body.Long("seed"),
        LogitBias = Bias(body, vocabulary),
        LogProbs = logProbs,
    };

    private static Dictionary<int, float>? Bias(RequestObject body, int vocabulary)
    {
        if (body.Object("logit_bias") is not { } map)
        {
            return null;
        }

        var bias = new Dictionary<int, float>();
        foreach (JsonProperty entry in map.Element.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int token) || token >= vocabulary)
            {
                throw ApiException.Bad("logit_bias", $"logit_bias: expected token ids below {vocabulary}, got {Tensors.PunaException.OneLine(entry.Name)}");
            }

            // -100 bans and 100 forces, whatever the logits are.
            double amount = map.Number(entry.Name, -100, 100) ?? 0;
            bias[token] = amount == -100 ? float.NegativeInfinity : (float)amount;
        }

        return bias.Count <= MostBiases ? bias : throw ApiException.Bad("logit_bias", $"logit_bias: expected at most {MostBiases} tokens, got {bias.Count}");
    }
}
