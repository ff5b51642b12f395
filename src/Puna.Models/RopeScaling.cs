namespace Puna.Models;

/// <summary>How rotary frequencies are stretched for contexts longer than the model was pretrained on (spec llama1-3.md 2.4, 2.5).</summary>
public abstract record RopeScaling
{
    private RopeScaling()
    {
    }

    /// <summary>Name in Hugging Face's <c>rope_type</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What is wrong with the numbers: anything that gives angles which are no finite numbers, or has no meaning. They are judged as float32, which is what
    /// the frequencies are computed in.</summary>
    /// <param name="config">The model they belong to.</param>
    /// <returns><c>what: expected x, got y</c>, or null where nothing is wrong.</returns>
    internal abstract string? Problem(LlamaConfig config);

    private static string? Positive(string what, double value) =>
        float.IsFinite((float)value) && (float)value > 0 ? null : FormattableString.Invariant($"{what}: expected a positive number, got {value}");

    /// <summary>No scaling.</summary>
    public sealed record None : RopeScaling
    {
        /// <inheritdoc/>
        public override string Name => "default";

        internal override string? Problem(LlamaConfig config) => null;
    }

    /// <summary>All frequencies divided by a factor.</summary>
    /// <param name="Factor">At least 1 in practice.</param>
    public sealed record Linear(double Factor) : RopeScaling
    {
        /// <inheritdoc/>
        public override string Name => "linear";

        internal override string? Problem(LlamaConfig config) => Positive("rope scaling factor", Factor);
    }

    /// <summary>
    /// "NTK-aware": the base grows with the length once it exceeds the trained one. All positions of one forward pass turn by the base of its total length, so a
    /// model with this scaling has one answer per length and none token by token.
    /// </summary>
    /// <param name="Factor">How fast the base grows.</param>
    public sealed record Dynamic(double Factor) : RopeScaling
    {
        /// <inheritdoc/>
        public override string Name => "dynamic";

        internal override string? Problem(LlamaConfig config) =>
            Positive("rope scaling factor", Factor)
            ?? (config.HeadDim > 2 ? null : $"head size: expected at least 4, because dynamic rotary scaling divides by the head size less 2, got {config.HeadDim}");
    }

    /// <summary>Llama 3.1's rule: long wavelengths divided by a factor, short ones kept, a ramp between.</summary>
    /// <param name="Factor">8 in Llama 3.1 and 3.3, 32 in Llama 3.2 1B and 3B.</param>
    /// <param name="LowFrequencyFactor">1 in every release.</param>
    /// <param name="HighFrequencyFactor">4 in every release.</param>
    /// <param name="OriginalContext">8192 in every release.</param>
    public sealed record Llama3(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalContext) : RopeScaling
    {
        /// <inheritdoc/>
        public override string Name => "llama3";

        internal override string? Problem(LlamaConfig config) =>
            Positive("rope scaling factor", Factor)
            ?? Positive("rope scaling low_freq_factor", LowFrequencyFactor)
            ?? Positive("rope scaling high_freq_factor", HighFrequencyFactor)
            ?? Positive("rope scaling original context", OriginalContext);
    }

    /// <summary>YaRN: a ramp over dimensions between kept and divided frequencies, and a factor on cosines and sines.</summary>
    /// <param name="Factor">How far the context is stretched.</param>
    /// <param name="OriginalContext">Context of the pretraining.</param>
    /// <param name="BetaFast">Turns over the original context above which a frequency is kept; 32.</param>
    /// <param name="BetaSlow">Turns below which it is divided by the factor; 1.</param>
    /// <param name="Magnitude">Factor on cosine and sine.</param>
    /// <param name="Truncate">Whether the ramp's ends are rounded to whole dimensions.</param>
    public sealed record Yarn(double Factor, int OriginalContext, double BetaFast, double BetaSlow, double Magnitude, bool Truncate) : RopeScaling
    {
        /// <inheritdoc/>
        public override string Name => "yarn";

        /// <summary>The usual magnitude, 0.1 ln(factor) + 1, and 1 for factors up to 1.</summary>
        public static double DefaultMagnitude(double factor, double scale = 1) => factor <= 1 ? 1 : (0.1 * scale * Math.Log(factor)) + 1;

        internal override string? Problem(LlamaConfig config) =>
            Positive("rope scaling factor", Factor)
            ?? Positive("rope scaling original context", OriginalContext)
            ?? Positive("rope scaling beta_fast", BetaFast)
            ?? Positive("rope scaling beta_slow", BetaSlow)
            ?? Positive("rope scaling attention factor", Magnitude)
            ?? (BetaFast >= BetaSlow ? null : FormattableString.Invariant($"rope scaling beta_fast: expected at least beta_slow {BetaSlow}, got {BetaFast}"))
            ?? ((float)config.RopeTheta > 1 ? null : FormattableString.Invariant($"rope theta: expected more than 1, because yarn divides by its logarithm, got {config.RopeTheta}"));
    }

    /// <summary>Given divisors per frequency, as the tensor <c>rope_freqs.weight</c> of GGUF files holds them.</summary>
    /// <param name="Values"><c>[headDim / 2]</c>.</param>
    /// <param name="Rule">The rule they are said to come from, where the file names one: for writing other formats, not for arithmetic.</param>
    public sealed record Divisors(IReadOnlyList<float> Values, Llama3? Rule = null) : RopeScaling
    {
        /// <inheritdoc/>
        public override string Name => "divisors";

        internal override string? Problem(LlamaConfig config)
        {
            if (Values.Count != config.HeadDim / 2)
            {
                return $"rope divisors: expected {config.HeadDim / 2}, got {Values.Count}";
            }

            for (int i = 0; i < Values.Count; i++)
            {
                if (Positive($"rope divisor {i}", Values[i]) is string problem)
                {
                    return problem;
                }
            }

            return null;
        }
    }
}
