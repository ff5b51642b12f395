namespace Puna.Cli.Parsing;

/// <summary>The definition of one <c>--option</c>: everything that parsing, the help page and shell completion need to know of it.</summary>
/// <param name="name">Name without the dashes, for example <c>max-tokens</c>.</param>
/// <param name="valueName">Name of the value in the help, for example <c>N</c>; null for a flag.</param>
/// <param name="summary">One sentence for the help page, without a final stop.</param>
internal abstract class Option(string name, string? valueName, string summary)
{
    /// <summary>Name without the dashes.</summary>
    public string Name { get; } = name;

    /// <summary>Name of the value in the help; null for a flag.</summary>
    public string? ValueName { get; } = valueName;

    /// <summary>One sentence for the help page.</summary>
    public string Summary { get; } = summary;

    /// <summary>Values allowed, for the help page, for example <c>0 to 1</c>; null where there is nothing to say.</summary>
    public string? RangeText { get; init; }

    /// <summary>What holds where the option is absent, for the help page; null where there is nothing to say.</summary>
    public string? DefaultText { get; init; }

    /// <summary>The only values allowed; empty where there is no such list.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>What the value names.</summary>
    public ValueHint Hint { get; init; }

    /// <summary>Whether every occurrence counts, not only the last.</summary>
    public bool IsRepeatable { get; init; }

    /// <summary>
    /// Whether the value is text of the user's that may look like anything. The argument after such an option is its value even where it looks like
    /// another option; for other options that is a missing value.
    /// </summary>
    public bool IsData { get; init; }

    /// <summary>Whether the option takes no value.</summary>
    public bool IsFlag => ValueName is null;

    /// <summary>Reads a value.</summary>
    /// <exception cref="UsageException">The text is not a value this option allows.</exception>
    public abstract object Read(string text);
}
