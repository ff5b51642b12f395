namespace Puna.Text.Tools;

/// <summary>What a parser found in a reply: text, or a call.</summary>
/// <param name="Text">Text to show, or null.</param>
/// <param name="Call">A complete call, or null.</param>
public sealed record ToolEvent(string? Text, ToolCall? Call);
