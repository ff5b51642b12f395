namespace Puna.Cli.Parsing;

/// <summary>The definition of one argument that has a place instead of a name.</summary>
/// <param name="Name">Name in the help, in capitals.</param>
/// <param name="Summary">One sentence for the help page.</param>
/// <param name="IsRequired">Whether the command needs it.</param>
internal sealed record Argument(string Name, string Summary, bool IsRequired)
{
    /// <summary>The only values allowed; empty where there is no such list.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>What the value names.</summary>
    public ValueHint Hint { get; init; }

    /// <summary>What to say where more arguments come than there are places; null for the plain message.</summary>
    public string? ExtraHint { get; init; }
}
