using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Puna.Runtime.Chat;
using Puna.Runtime.Sampling;

namespace Puna.Extensions.AI;

/// <summary>
/// Options that the abstractions have no members for, by the names they have in servers: <c>min_p</c>, <c>repetition_penalty</c>, <c>logit_bias</c> (token id to number), <c>logprobs</c> (true, or
/// how many alternatives), <c>min_tokens</c>, <c>ignore_eos</c>, <c>cache_salt</c>, <c>grammar</c>, <c>regex</c>, <c>chat_template_kwargs</c> (a JSON object). Others have no effect.
/// </summary>
internal static class MoreOptions
{
    /// <summary>The request with what of them is set.</summary>
    /// <exception cref="ArgumentException">One has a value of another kind.</exception>
    public static ChatRequest Apply(ChatRequest request, AdditionalPropertiesDictionary more)
    {
        foreach ((string name, object? value) in more)
        {
            if (value is null)
            {
                continue;
            }

            request = name switch
            {
                "min_p" => request with { Sampling = request.Sampling with { MinP = Number(name, value) } },
                "repetition_penalty" => request with { Sampling = request.Sampling with { RepetitionPenalty = Number(name, value) } },
                "logit_bias" => request with { Sampling = request.Sampling with { LogitBias = Bias(name, value) } },
                "logprobs" => request with { Sampling = request.Sampling with { LogProbs = Flag(value) is bool isAsked ? isAsked ? 0 : null : Integer(name, value) } },
                "min_tokens" => request with { MinTokens = Integer(name, value) },
                "ignore_eos" => request with { IgnoreStopIds = Flag(value) ?? throw Wrong(name, "true or false", value) },
                "cache_salt" => request with { CacheSalt = Text(name, value) },
                "grammar" => request with { Format = new ReplyFormat(ReplyFormatKind.Grammar, Text(name, value)) },
                "regex" => request with { Format = new ReplyFormat(ReplyFormatKind.Regex, Text(name, value)) },
                "chat_template_kwargs" => request with { TemplateVariables = value is JsonElement json ? json.GetRawText() : Text(name, value) },
                _ => request,
            };
        }

        return request;
    }

    /// <summary>The decimal number that was written, where it went through single precision: 0.7f is 0.7.</summary>
    public static double? Exact(float? value) => value is float f ? double.Parse(f.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : null;

    private static bool? Flag(object value) => value switch
    {
        bool flag => flag,
        JsonElement { ValueKind: JsonValueKind.True } => true,
        JsonElement { ValueKind: JsonValueKind.False } => false,
        _ => null,
    };

    private static double Number(string name, object value) => value switch
    {
        double d => d,
        float f => Exact(f)!.Value,
        int i => i,
        long l => l,
        JsonElement { ValueKind: JsonValueKind.Number } json => json.GetDouble(),
        _ => throw Wrong(name, "a number", value),
    };

    private static int Integer(string name, object value)
    {
        double number = Number(name, value);
        return number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue ? (int)number : throw Wrong(name, "a whole number", value);
    }

    private static string Text(string name, object value) => value switch
    {
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } json => json.GetString()!,
        _ => throw Wrong(name, "text", value),
    };

    private static Dictionary<int, float> Bias(string name, object value)
    {
        var bias = new Dictionary<int, float>();
        switch (value)
        {
            case IEnumerable<KeyValuePair<int, float>> pairs:
                foreach ((int token, float add) in pairs)
                {
                    bias[token] = add;
                }

                return bias;
            case JsonElement { ValueKind: JsonValueKind.Object } json:
                foreach (JsonProperty property in json.EnumerateObject())
                {
                    if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int token) || property.Value.ValueKind != JsonValueKind.Number)
                    {
                        throw Wrong(name, "numbers by token id", property);
                    }

                    bias[token] = property.Value.GetSingle();
                }

                return bias;
            default:
                throw Wrong(name, "numbers by token id", value);
        }
    }

    private static ArgumentException Wrong(string name, string expected, object value) => new($"option {name}: expected {expected}, got {value}");
}
