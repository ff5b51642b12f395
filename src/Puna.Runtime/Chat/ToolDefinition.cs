namespace Puna.Runtime.Chat;

/// <summary>A tool that a model may call.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it does, or null.</param>
/// <param name="Parameters">JSON schema of its arguments, an object; null where it takes none.</param>
/// <param name="IsStrict">Whether arguments must follow the schema.</param>
public sealed record ToolDefinition(string Name, string? Description, string? Parameters, bool IsStrict = false);
