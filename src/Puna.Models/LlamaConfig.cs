using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models;

/// <summary>Everything that decides the shape and arithmetic of a Llama. Immutable; a new generation is another value of this type.</summary>
public sealed record LlamaConfig
{
    /// <summary>Longest text of any model: positions are float32, which counts no further without gaps.</summary>
    public const int MostPositions = 1 << 24;

    /// <summary>Width of the residual stream.</summary>
    public required int Hidden { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    public required int Ffn { get; init; }

    /// <summary>Number of transformer blocks; those that look at images only are counted in <see cref="Vision"/>.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key-value heads: as many as <see cref="Heads"/> (multi-head), fewer (grouped) or one (multi-query).</summary>
    public required int KvHeads { get; init; }

    /// <summary>Values per head; not always hidden / heads.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Tokens that can be written: rows of the output layer.</summary>
    public required int Vocab { get; init; }

    /// <summary>Tokens that can be read: rows of the embedding.</summary>
    public int InputVocab => Vocab + (Vision?.ExtraEmbeddings ?? 0);

    /// <summary>Whether it sees pictures.</summary>
    public bool SeesImages => Vision is not null || Llama4?.Vision is not null;

    /// <summary>Tokens the model was made for.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Epsilon of every RMSNorm. Llama 1 uses 1e-6, later ones 1e-5: always from the file.</summary>
    public required float NormEpsilon { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10000;

    /// <summary>Stretching of the rotary frequencies.</summary>
    public RopeScaling RopeScaling { get; init; } = new RopeScaling.None();

    /// <summary>Whether the output layer is the embedding.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Whether q, k and v have biases (no Llama has).</summary>
    public bool QkvBias { get; init; }

    /// <summary>Whether the attention's output layer has a bias.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>Whether the feed-forward layers have biases.</summary>
    public bool MlpBias { get; init; }

    /// <summary>What a Llama 4 has beyond a dense model; null for every other Llama.</summary>
    public Llama4Config? Llama4 { get; init; }

    /// <summary>What a Llama 3.2 Vision has beyond its text model; null for every other Llama.</summary>
    public MllamaConfig? Vision { get; init; }

    /// <summary>Labels of a sequence classifier (a reward model has one), or 0 for a language model.</summary>
    public int Labels { get; init; }

    /// <summary>Beginning-of-text token, where the checkpoint names one.</summary>
    public int? BosId { get; init; }

    /// <summary>Tokens that end a text.</summary>
    public IReadOnlyList<int> EosIds { get; init; } = [];

    /// <summary>What the checkpoint calls the model, for messages.</summary>
    public string Name { get; init; } = "llama";

    /// <summary>Most tokens of a text: the context, except that a dynamic rotary base is made for lengths beyond it.</summary>
    public int TokenLimit => RopeScaling is RopeScaling.Dynamic ? MostPositions : ContextLength;

    /// <summary>Number of parameters, counted from the shapes; a tied embedding counts once.</summary>
    public long ParameterCount
    {
        get
        {
            long sum = 0;
            foreach ((_, Shape shape) in Parameters())
            {
                sum += shape.Count;
            }

            return sum;
        }
    }

    /// <summary>Parameters that one token meets: all but the experts it is not sent to. The embedding and the output layer count whole, as in the published numbers.</summary>
    public long ActiveParameterCount => Llama4 is not { } four ? ParameterCount
        : ParameterCount - (four.HasExperts.Count(static x => x) * (long)(four.Experts - four.ExpertsPerToken) * 3 * Hidden * four.ExpertFfn);

    /// <summary>Feed-forward width as Meta's <c>params.json</c> implies it (spec llama1-3.md 1.1): the multiplier is applied before rounding up.</summary>
    /// <param name="hidden">Width of the model.</param>
    /// <param name="multipleOf">Rounding.</param>
    /// <param name="multiplier">Optional multiplier.</param>
    public static int FfnWidth(int hidden, int multipleOf, double? multiplier)
    {
        long width = (long)(2 * (4L * hidden) / 3.0);
        if (multiplier is double m)
        {
            width = (long)(m * width);
        }

        return checked((int)((width + multipleOf - 1) / multipleOf * multipleOf));
    }

    /// <summary>Every parameter under its canonical name (Meta's) with its shape <c>[out, in]</c>, in the order of the forward pass; those for images come last.</summary>
    public IEnumerable<(string Name, Shape Shape)> Parameters()
    {
        yield return ("tok_embeddings.weight", new Shape(InputVocab, Hidden));
        long q = (long)Heads * HeadDim;
        long kv = (long)KvHeads * HeadDim;
        for (int i = 0; i < Layers; i++)
        {
            string layer = $"layers.{i}.";
            yield return (layer + "attention_norm.weight", new Shape(Hidden));
            yield return (layer + "attention.wq.weight", new Shape(q, Hidden));
            yield return (layer + "attention.wk.weight", new Shape(kv, Hidden));
            yield return (layer + "attention.wv.weight", new Shape(kv, Hidden));
            yield return (layer + "attention.wo.weight", new Shape(Hidden, q));
            if (QkvBias)
            {
                yield return (layer + "attention.wq.bias", new Shape(q));
                yield return (layer + "attention.wk.bias", new Shape(kv));
                yield return (layer + "attention.wv.bias", new Shape(kv));
            }

            if (AttentionOutputBias)
            {
                yield return (layer + "attention.wo.bias", new Shape(Hidden));
            }

            yield return (layer + "ffn_norm.weight", new Shape(Hidden));
            if (Llama4 is { } four && four.HasExperts[i])
            {
                foreach ((string, Shape) parameter in ExpertParameters(layer + "feed_forward.", four))
                {
                    yield return parameter;
                }

                continue;
            }

            yield return (layer + "feed_forward.w1.weight", new Shape(Ffn, Hidden));
            yield return (layer + "feed_forward.w3.weight", new Shape(Ffn, Hidden));
            yield return (layer + "feed_forward.w2.weight", new Shape(Hidden, Ffn));
            if (MlpBias)
            {
                yield return (layer + "feed_forward.w1.bias", new Shape(Ffn));
                yield return (layer + "feed_forward.w3.bias", new Shape(Ffn));
                yield return (layer + "feed_forward.w2.bias", new Shape(Hidden));
            }
        }

        yield return ("norm.weight", new Shape(Hidden));
        if (Labels > 0)
        {
            yield return ("score.weight", new Shape(Labels, Hidden));
        }
        else if (!TiedEmbeddings)
        {
            yield return ("output.weight", new Shape(Vocab, Hidden));
        }

        if (Vision is { } vision)
        {
            foreach ((string, Shape) parameter in vision.CrossParameters(this).Concat(vision.EncoderParameters(Hidden)))
            {
                yield return parameter;
            }
        }
    }

    private IEnumerable<(string Name, Shape Shape)> ExpertParameters(string prefix, Llama4Config four)
    {
        yield return (prefix + "router.weight", new Shape(four.Experts, Hidden));
        for (int e = -1; e < four.Experts; e++)
        {
            string expert = e < 0 ? prefix + "shared_expert." : $"{prefix}experts.{e}.";
            yield return (expert + "w1.weight", new Shape(four.ExpertFfn, Hidden));
            yield return (expert + "w3.weight", new Shape(four.ExpertFfn, Hidden));
            yield return (expert + "w2.weight", new Shape(Hidden, four.ExpertFfn));
        }
    }

    /// <summary>Checks that the numbers fit each other.</summary>
    /// <param name="where">The file they come from.</param>
    /// <returns>This value.</returns>
    /// <exception cref="PunaException">Names the first number that is out of range.</exception>
    public LlamaConfig Validate(string where)
    {
        Range("hidden size", Hidden, 1, 1 << 20);
        Range("feed-forward size", Ffn, 1, 1 << 24);
        Range("layers", Layers, 1, 10000);
        Range("heads", Heads, 1, 1 << 16);
        Range("key-value heads", KvHeads, 1, Heads);
        Range("head size", HeadDim, 2, 1 << 14);
        Range("vocabulary", Vocab, 1, 1 << 28);
        Range("context length", ContextLength, 1, MostPositions);
        Require(Heads % KvHeads == 0, $"heads: expected a multiple of the {KvHeads} key-value heads, got {Heads}");
        Require(HeadDim % 2 == 0, $"head size: expected an even number, got {HeadDim}");
        Require(float.IsFinite(NormEpsilon) && NormEpsilon >= 0, $"norm epsilon: expected a small positive number, got {NormEpsilon.ToString(System.Globalization.CultureInfo.InvariantCulture)}");
        Require(float.IsFinite((float)RopeTheta) && (float)RopeTheta > 0, FormattableString.Invariant($"rope theta: expected a positive number that float32 can hold, got {RopeTheta}"));
        string? problem = Llama4?.Problem(Layers) ?? Vision?.Problem(Layers) ?? (Vision is not null && (TiedEmbeddings || Labels > 0) ? "output layer: expected one of its own where a model sees images, got none" : null) ?? RopeScaling.Problem(this);
        Require(problem is null, problem ?? "");
        CheckFrequencies();
        return this;

        // Numbers that are sound each for itself can still overflow together: a tiny base with a tiny factor.
        void CheckFrequencies()
        {
            var frequencies = new float[HeadDim / 2];
            RotaryFrequencies.Compute(this, ContextLength, frequencies);
            for (int i = 0; i < frequencies.Length; i++)
            {
                Require(float.IsFinite(frequencies[i] * TokenLimit), FormattableString.Invariant($"rotary frequency {i}: expected finite angles, got {frequencies[i]} per position"));
            }
        }

        void Range(string what, int value, int least, int most) => Require(value >= least && value <= most, $"{what}: expected {least} to {most}, got {value}");
        void Require(bool condition, string message)
        {
            if (!condition)
            {
                throw new PunaException($"{message} ({where})");
            }
        }
    }
}
