namespace Puna.Cli.Parsing;

/// <summary>Options that belong together on the help page.</summary>
/// <param name="Title">Heading, for example <c>Sampling</c>.</param>
/// <param name="Options">The options in the order of the page.</param>
internal sealed record OptionGroup(string Title, params Option[] Options);
