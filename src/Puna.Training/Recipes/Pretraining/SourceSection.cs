namespace Puna.Training.Recipes.Pretraining;

/// <summary>One source of text.</summary>
public sealed record SourceSection
{
    /// <summary>What of the Altiplano world: <c>stories</c>, <c>chats</c> or <c>primers</c>; or <see cref="Shards"/>.</summary>
    public string? Altiplano { get; set; }

    /// <summary>A folder of token shards, as <c>puna train data</c> makes it.</summary>
    public string? Shards { get; set; }

    /// <summary>Share of the tokens among all sources, up to a common factor.</summary>
    public double Weight { get; set; } = 1;
}
