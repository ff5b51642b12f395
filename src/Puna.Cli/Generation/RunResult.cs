using System.Text;
using System.Text.Json;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Text;

namespace Puna.Cli.Generation;

/// <summary>Collects what has been generated, for <c>puna run --json</c>.</summary>
internal sealed class RunResult
{
    private readonly StringBuilder _text = new();
    private readonly List<int> _tokens = [];
    private readonly List<TokenLogProbs> _logProbs = [];

    /// <summary>Why the generation ended; null while it goes on, where it was interrupted, and where no token was asked for.</summary>
    public FinishReason? Finish { get; private set; }

    /// <summary>Tokens generated so far.</summary>
    public int Count => _tokens.Count;

    /// <summary>Adds a step.</summary>
    public void Add(GenerationStep step)
    {
        _text.Append(step.Text);
        _tokens.Add(step.Token);
        Finish = step.Finish;
        if (step.LogProbs is not null)
        {
            _logProbs.Add(step.LogProbs);
        }
    }

    /// <summary>Writes the members of the object.</summary>
    /// <param name="json">Inside an object.</param>
    /// <param name="isInterrupted">Whether the user stopped it.</param>
    /// <param name="promptTokens">Tokens of the prompt.</param>
    /// <param name="seed">Seed of the random numbers.</param>
    /// <param name="tokenizer">For the texts of single tokens; may be null.</param>
    public void Write(Utf8JsonWriter json, bool isInterrupted, int promptTokens, long? seed, Tokenizer? tokenizer)
    {
        json.WriteString("text", _text.ToString());
        json.WriteStartArray("tokens");
        foreach (int id in _tokens)
        {
            json.WriteNumberValue(id);
        }

        json.WriteEndArray();
        json.WriteString("finish_reason", isInterrupted ? "interrupted" : (Finish ?? FinishReason.Length).ToString().ToLowerInvariant()); // none where no token was asked for
        json.WriteNumber("prompt_tokens", promptTokens);
        json.WriteNumber("generated_tokens", _tokens.Count);
        if (seed is long value)
        {
            json.WriteNumber("seed", value);
        }

        if (_logProbs.Count > 0)
        {
            WriteLogProbs(json, tokenizer);
        }
    }

    private void WriteLogProbs(Utf8JsonWriter json, Tokenizer? tokenizer)
    {
        json.WriteStartArray("logprobs");
        foreach (TokenLogProbs step in _logProbs)
        {
            json.WriteStartObject();
            Write(json, step.Chosen, tokenizer);
            json.WriteStartArray("top");
            foreach (TokenLogProb other in step.Top)
            {
                json.WriteStartObject();
                Write(json, other, tokenizer);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, TokenLogProb token, Tokenizer? tokenizer)
    {
        json.WriteNumber("token", token.Token);
        json.WriteString("text", tokenizer?.TokenText(token.Token));
        if (float.IsFinite(token.LogProb))
        {
            json.WriteNumber("logprob", token.LogProb);
        }
        else
        {
            json.WriteNull("logprob"); // impossible: JSON has no infinity
        }
    }
}
