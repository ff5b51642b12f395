namespace Puna.Training.Recipes;

/// <summary>Hears how far a recipe is. Calls come from the recipe's own thread and are cheap to ignore.</summary>
public interface IRecipeReport
{
    /// <summary>How far one stage is.</summary>
    /// <param name="stage">What is being done, a few words.</param>
    /// <param name="done">How much is done.</param>
    /// <param name="total">How much there is, or null where nobody knows.</param>
    void Progress(string stage, long done, long? total);

    /// <summary>A line worth keeping: a loss, a sample, a report.</summary>
    void Line(string text);
}
