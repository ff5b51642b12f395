namespace Puna.Cli.Parsing;

/// <summary>One example of the help page.</summary>
/// <param name="Line">The command line.</param>
/// <param name="Says">What it does, without a final stop.</param>
internal sealed record Example(string Line, string Says);
