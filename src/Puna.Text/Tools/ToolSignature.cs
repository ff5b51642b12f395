namespace Puna.Text.Tools;

/// <summary>A tool that a model may call.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Parameters">Names of its parameters in the order of their declaration: for calls that give arguments by their place.</param>
public sealed record ToolSignature(string Name, IReadOnlyList<string> Parameters);
