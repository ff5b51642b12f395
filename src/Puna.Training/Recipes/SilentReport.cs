namespace Puna.Training.Recipes;

/// <summary>Hears nothing.</summary>
public sealed class SilentReport : IRecipeReport
{
    /// <summary>The one instance needed.</summary>
    public static SilentReport Instance { get; } = new();

    /// <inheritdoc/>
    public void Progress(string stage, long done, long? total)
    {
    }

    /// <inheritdoc/>
    public void Line(string text)
    {
    }
}
