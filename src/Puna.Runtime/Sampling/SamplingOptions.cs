using System.Globalization;
using Puna.Tensors;

namespace Puna.Runtime.Sampling;

/// <summary>
/// How the next token is chosen. The steps are taken in this order (spec serving.md 6.6): <see cref="LogitBias"/>, penalties, <see cref="Temperature"/>,
/// <see cref="TopK"/>, <see cref="TypicalP"/>, <see cref="TopP"/>, <see cref="MinP"/>, <see cref="XtcProbability"/>, draw. Every default is neutral: the model's own distribution.
/// </summary>
public sealed record SamplingOptions
{
    /// <summary>The most likely token every time.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>What Meta's code and the published generation settings of Llama 2 and 3.x use: temperature 0.6, top-p 0.9 (spec llama1-3.md 7).</summary>
    public static SamplingOptions MetaDefault { get; } = new() { Temperature = 0.6, TopP = 0.9 };

    /// <summary>Logits are divided by this; 0 takes the first maximum and nothing is drawn.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Only this many of the most likely tokens stay (of equal ones those with lower ids); 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>
    /// A token goes if the tokens more likely than it have together more than this probability, so that the most likely one always stays (spec
    /// llama1-3.md 7). Probabilities are those after temperature and top-k. 1 keeps all.
    /// </summary>
    public double TopP { get; init; } = 1;

    /// <summary>A token goes if its probability is less than this times that of the most likely one; 0 keeps all.</summary>
    public double MinP { get; init; }

    /// <summary>
    /// Keeps the tokens whose surprise is nearest to the expected one, as few as together have this probability (locally typical sampling: Meister, Pimentel, Wiher, Cotterell 2022,
    /// arXiv:2202.00666). 1 keeps all.
    /// </summary>
    public double TypicalP { get; init; } = 1;

    /// <summary>
    /// How often the likeliest tokens are left out: with this probability, where two or more reach <see cref="XtcThreshold"/>, only the least likely of these stays with the
    /// others ("exclude top choices", p-e-w, oobabooga/text-generation-webui#6335). 0 never; without effect at temperature 0.
    /// </summary>
    public double XtcProbability { get; init; }

    /// <summary>What a token's probability must reach for <see cref="XtcProbability"/> to leave it out; above 0.5 there is never a second one.</summary>
    public double XtcThreshold { get; init; } = 0.1;

    /// <summary>How much a token is made less likely that lengthens a repetition (DRY: p-e-w, oobabooga/text-generation-webui#5677): this times <see cref="DryBase"/> to the power of the tokens repeated beyond <see cref="DryAllowedLength"/> is taken from its logit. 0 leaves it.</summary>
    public double DryMultiplier { get; init; }

    /// <summary>See <see cref="DryMultiplier"/>; at least 1.</summary>
    public double DryBase { get; init; } = 1.75;

    /// <summary>Tokens that may be repeated at no cost, at least 1.</summary>
    public int DryAllowedLength { get; init; } = 2;

    /// <summary>How many of the last tokens <see cref="DryMultiplier"/> looks at; null is all of them.</summary>
    public int? DryWindow { get; init; }

    /// <summary>Tokens across which nothing counts as repeated: ends of lines and sentences, quotes.</summary>
    public IReadOnlySet<int>? DryBreakers { get; init; }

    /// <summary>
    /// Logits of tokens that have occurred, in the prompt or since, are divided by this where positive and multiplied by it where not (as in Hugging
    /// Face's library); 1 leaves them.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>How many of the last tokens <see cref="RepetitionPenalty"/> looks at; null is all of them.</summary>
    public int? RepetitionWindow { get; init; }

    /// <summary>Taken from the logit of every token that has occurred, once.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Taken from the logit of a token for each time it has occurred.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Whether <see cref="PresencePenalty"/> and <see cref="FrequencyPenalty"/> count the tokens of the prompt too (spec serving.md 3.1), or those generated since only.</summary>
    public bool PenalizePrompt { get; init; } = true;

    /// <summary>Added to the logits of these tokens before all else; negative infinity bans a token. Ids outside the vocabulary have no effect.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>The same seed gives the same tokens; null chooses one at random, which <see cref="Sampler.Seed"/> tells.</summary>
    public long? Seed { get; init; }

    /// <summary>How many alternatives' log-probabilities are reported with each token; 0 reports that of the chosen token alone, null none.</summary>
    public int? LogProbs { get; init; }

    /// <summary>Checks every option.</summary>
    /// <exception cref="PunaException">An option is out of its range; the message names it.</exception>
    public void Validate()
    {
        Check("temperature", "0 or more", Temperature, Temperature >= 0);
        Check("top_k", "0 (all) or more", TopK, TopK >= 0);
        Check("top_p", "0 to 1", TopP, TopP is >= 0 and <= 1);
        Check("min_p", "0 to 1", MinP, MinP is >= 0 and <= 1);
        Check("typical_p", "more than 0, at most 1", TypicalP, TypicalP is > 0 and <= 1);
        Check("xtc_probability", "0 to 1", XtcProbability, XtcProbability is >= 0 and <= 1);
        Check("xtc_threshold", "0 to 1", XtcThreshold, XtcThreshold is >= 0 and <= 1);
        Check("dry_multiplier", "0 or more", DryMultiplier, DryMultiplier >= 0);
        Check("dry_base", "1 or more", DryBase, DryBase >= 1);
        Check("dry_allowed_length", "1 or more", DryAllowedLength, DryAllowedLength >= 1);
        Check("dry_window", "0 or more", DryWindow ?? 0, DryWindow is null or >= 0);
        Check("repetition_penalty", "more than 0", RepetitionPenalty, RepetitionPenalty > 0);
        Check("repetition_window", "0 or more", RepetitionWindow ?? 0, RepetitionWindow is null or >= 0);
        Check("presence_penalty", "a finite number", PresencePenalty, true);
        Check("frequency_penalty", "a finite number", FrequencyPenalty, true);
        Check("logprobs", "0 or more", LogProbs ?? 0, LogProbs is null or >= 0);
        if (LogitBias is null)
            return;
        foreach ((int token, float bias) in LogitBias)
        {
            if (token < 0)
                throw new PunaException(string.Create(CultureInfo.InvariantCulture, $"logit_bias: expected token ids of 0 or more, got {token}"));
            if (float.IsNaN(bias) || float.IsPositiveInfinity(bias))
                throw new PunaException(string.Create(CultureInfo.InvariantCulture, $"logit_bias of token {token}: expected a finite number or -Infinity, got {bias}"));
        }
    }

    private static void Check(string name, string expected, double value, bool inRange)
    {
        if (!inRange || !double.IsFinite(value))
            throw new PunaException(string.Create(CultureInfo.InvariantCulture, $"{name}: expected {expected}, got {value}"));
    }
}
