using Puna.Cli.Parsing;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;

namespace Puna.Cli.Commands;

/// <summary>The options that say how tokens are chosen and when a text ends, common to <c>run</c> and <c>chat</c>.</summary>
internal sealed class SamplingArguments
{
    private readonly Option<double> _temperature = Options.Number("temperature", "T", "Higher is more varied; 0 takes the most likely token every time", SamplingOptions.MetaDefault.Temperature, 0, 100);
    private readonly Option<double> _topP = Options.Number("top-p", "P", "Choose among the most likely tokens that together have this probability", SamplingOptions.MetaDefault.TopP, 0, 1);
    private readonly Option<int> _topK = Options.Integer("top-k", "K", "Choose among this many of the most likely tokens; 0 is all", 0, 0);
    private readonly Option<double> _minP = Options.Number("min-p", "P", "Drop tokens with less than this share of the best one's probability", 0, 0, 1);
    private readonly Option<double> _typical = Options.Number("typical-p", "P", "Keep the tokens whose surprise is nearest to the expected, as few as have this probability together", 1, 0.001, 1);
    private readonly Option<double> _xtc = Options.Number("xtc-probability", "P", "How often the likeliest tokens but one are left out, for unusual texts", 0, 0, 1);
    private readonly Option<double> _xtcThreshold = Options.Number("xtc-threshold", "P", "With --xtc-probability: the probability at which a token counts as one of the likeliest", new SamplingOptions().XtcThreshold, 0, 1);
    private readonly Option<double> _dry = Options.Number("dry-multiplier", "R", "Above 0 makes tokens less likely that repeat more than two tokens of before, more so the longer it gets", 0, 0, 100);
    private readonly Option<double> _repetition = Options.Number("repetition-penalty", "R", "Above 1 makes tokens that have occurred less likely", 1, 0.01, 100);
    private readonly Option<double> _presence = Options.Number("presence-penalty", "R", "Taken from the logit of every token that has occurred, in the prompt or since", 0, -100, 100);
    private readonly Option<double> _frequency = Options.Number("frequency-penalty", "R", "Taken from the logit of a token for each time it has occurred, in the prompt or since", 0, -100, 100);
    private readonly Option<long?> _seed = Options.OptionalInteger("seed", "S", "The same seed gives the same text", "random", long.MinValue, long.MaxValue);
    private readonly Option<long?> _maxTokens = Options.OptionalInteger("max-tokens", "N", "Most tokens to generate", "until the text ends or the context is full", 0, int.MaxValue);
    private readonly Option<string?> _stop = Options.Text("stop", "S", "End the text before this string", repeatable: true);

    /// <summary>The groups of the help page.</summary>
    public IReadOnlyList<OptionGroup> Groups =>
    [
        new("Length", _maxTokens, _stop),
        new("Choice of tokens", _temperature, _topP, _topK, _minP, _typical, _xtc, _xtcThreshold, _dry, _repetition, _presence, _frequency, _seed),
    ];

    /// <summary>Reads the options.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="logProbs">How many alternatives' log-probabilities to report, or null.</param>
    public GenerationOptions Read(ParsedArguments args, int? logProbs = null) => new()
    {
        MaxTokens = (int?)args.Get(_maxTokens),
        StopStrings = args.GetAll(_stop),
        Sampling = new SamplingOptions
        {
            Temperature = args.Get(_temperature),
            TopP = args.Get(_topP),
            TopK = args.Get(_topK),
            MinP = args.Get(_minP),
            TypicalP = args.Get(_typical),
            XtcProbability = args.Get(_xtc),
            XtcThreshold = args.Get(_xtcThreshold),
            DryMultiplier = args.Get(_dry),
            RepetitionPenalty = args.Get(_repetition),
            PresencePenalty = args.Get(_presence),
            FrequencyPenalty = args.Get(_frequency),
            // Chosen here where the user does not, so that it can be told.
            Seed = args.Get(_seed) ?? Random.Shared.NextInt64(),
            LogProbs = logProbs,
        },
    };
}
