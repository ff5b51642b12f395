namespace Puna.Text.Chat;

/// <summary>What else is known of a model when its chat format is looked for.</summary>
/// <param name="Name">Its name: of the repository, the folder, or <c>general.name</c> of a GGUF file. Used only where there is no template.</param>
/// <param name="Today">The date to tell models whose template asks for it, and those of Meta without template that are given tools; today's where null.</param>
public sealed record ChatHints(string? Name = null, DateOnly? Today = null);
