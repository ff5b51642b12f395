namespace Puna.Training.Recipes.Vision;

/// <summary>Shape of the encoder of pictures.</summary>
public sealed record EncoderSection
{
    /// <summary>Width.</summary>
    public required int Hidden { get; init; }

    /// <summary>Width of the feed-forward layers.</summary>
    public required int Ffn { get; init; }

    /// <summary>Layers; of the cross-attention design those of the first stage.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Pixels of a patch's side.</summary>
    public int Patch { get; set; } = 8;

    /// <summary>Cross-attention: layers of the second stage, which have gates; 1 where not said.</summary>
    public int? GlobalLayers { get; set; }

    /// <summary>Cross-attention: layers of the first stage whose inputs are part of the output; none where not said.</summary>
    public IReadOnlyList<int>? Taps { get; set; }

    /// <summary>Cross-attention: how many layers of the text model look at pictures; 1 where not said.</summary>
    public int? CrossLayers { get; set; }

    /// <summary>Early fusion: side of the square of patches that becomes a token; 2 where not said.</summary>
    public int? Shuffle { get; set; }

    /// <summary>Early fusion: width of the adapter behind the encoder; its own width where not said.</summary>
    public int? Adapter { get; set; }
}
