using Puna.Models;
using Puna.Text;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>Shape of a new model; the vocabulary is the tokenizer's.</summary>
public sealed record ModelSection
{
    /// <summary>Width.</summary>
    public required int Hidden { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    public required int Ffn { get; init; }

    /// <summary>Blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key-value heads; the query heads where not said.</summary>
    public int? KvHeads { get; set; }

    /// <summary>Values per head; hidden / heads where not said.</summary>
    public int? HeadDim { get; set; }

    /// <summary>Most tokens of a text.</summary>
    public int Context { get; set; } = 512;

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; set; } = 500000;

    /// <summary>Epsilon of the norms.</summary>
    public float NormEpsilon { get; set; } = 1e-5f;

    /// <summary>Whether the output layer is the embedding.</summary>
    public bool TiedEmbeddings { get; set; } = true;

    /// <summary>The config of the model.</summary>
    /// <param name="name">What the model is called.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    public LlamaConfig Create(string name, Tokenizer tokenizer) => Create(name, tokenizer.VocabularySize) with { BosId = tokenizer.BosId, EosIds = [.. tokenizer.StopIds] };

    /// <summary>The config of the model before its tokenizer is there.</summary>
    /// <param name="name">What the model is called.</param>
    /// <param name="vocabulary">Tokens.</param>
    public LlamaConfig Create(string name, int vocabulary) => new()
    {
        Name = name,
        Hidden = Hidden,
        Ffn = Ffn,
        Layers = Layers,
        Heads = Heads,
        KvHeads = KvHeads ?? Heads,
        HeadDim = HeadDim ?? (Heads > 0 ? Hidden / Heads : 0),
        ContextLength = Context,
        RopeTheta = RopeTheta,
        NormEpsilon = NormEpsilon,
        TiedEmbeddings = TiedEmbeddings,
        Vocab = vocabulary,
    };
}
