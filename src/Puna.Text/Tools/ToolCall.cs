namespace Puna.Text.Tools;

/// <summary>A call of a tool.</summary>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">A JSON object, without white space between its parts.</param>
public sealed record ToolCall(string Name, string Arguments);
