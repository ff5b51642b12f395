namespace Puna.Text.Templates;

/// <summary>What rendering a template may use up; whatever goes beyond is one error.</summary>
public sealed record TemplateLimits
{
    /// <summary>The limits of chat templates.</summary>
    public static TemplateLimits Default { get; } = new();

    /// <summary>Most characters of a template.</summary>
    public int SourceLength { get; init; } = 1 << 20;

    /// <summary>Most steps: nodes evaluated, items visited.</summary>
    public long Steps { get; init; } = 5_000_000;

    /// <summary>Most characters and list items made, intermediate ones included.</summary>
    public long Size { get; init; } = 64_000_000;

    /// <summary>Deepest nesting of a template and of the macros it calls.</summary>
    public int Depth { get; init; } = 200;
}
