namespace Puna.Cli.Parsing;

/// <summary>An option whose value is a <typeparamref name="T"/>.</summary>
/// <param name="name">Name without the dashes.</param>
/// <param name="valueName">Name of the value in the help; null for a flag.</param>
/// <param name="summary">One sentence for the help page.</param>
/// <param name="fallback">The value where the option is absent.</param>
/// <param name="read">Turns text into a value, or throws a <see cref="UsageException"/> that says what was expected.</param>
internal sealed class Option<T>(string name, string? valueName, string summary, T fallback, Func<string, T> read) : Option(name, valueName, summary)
{
    /// <summary>The value where the option is absent.</summary>
    public T Default { get; } = fallback;

    /// <inheritdoc/>
    public override object Read(string text)
    {
        try
        {
            return read(text)!;
        }
        catch (UsageException e)
        {
            throw new UsageException($"option --{Name}: {e.Message}, got {UsageException.Quote(text)}");
        }
    }
}
