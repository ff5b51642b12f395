namespace Puna.Models;

/// <summary>How rotary frequencies are stretched for contexts longer than the model was pretrained on (spec llama1-3.md 2.4, 2.5).</summary>
public abstract record RopeScaling
{
    private RopeScaling()
    {
    }

    /// <summary>Name in Hugging Face's <c>rope_type</c>.</summary>
    public abstract string Name { get; }

    /// <summary>No scaling.</summary>
    public sealed record None : RopeScaling
    {
        /// <inheritdoc/>
        public override string Name => "default";
    }

    /// <summary>All frequencies divided by a factor.</summary>
    /// <param name="Factor">At least 1 in practice.</param>
    public sealed record Linear(double Factor) : RopeScaling
    {
        /// <inheritdoc/>
        public override string Name => "linear";
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
    }

    /// <summary>Given divisors per frequency, as the tensor <c>rope_freqs.weight</c> of GGUF files holds them.</summary>
    /// <param name="Values"><c>[headDim / 2]</c>.</param>
    /// <param name="Rule">The rule they are said to come from, where the file names one: for writing other formats, not for arithmetic.</param>
    public sealed record Divisors(IReadOnlyList<float> Values, Llama3? Rule = null) : RopeScaling
    {
        /// <inheritdoc/>
        public override string Name => "divisors";
    }
}
