using Puna.Cli.Parsing;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Pretraining;
using Puna.Training.Recipes.ScalingLaws;
using Puna.Training.Recipes.Vision;

namespace Puna.Cli.Commands;

/// <summary>The recipes of <c>puna train</c>.</summary>
internal static class RecipeTable
{
    /// <summary>All, in the order of the help page.</summary>
    public static IReadOnlyList<IRecipe> All { get; } = [new PretrainRecipe(), new TokenizerRecipe(), new DataRecipe(), new AltiplanoRecipe(), new FindRateRecipe(), new ScalingRecipe(), new VisionRecipe()];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(static r => r.Name)];

    /// <summary>The recipe of a name.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static IRecipe Find(string name)
    {
        string? near = Suggestions.Nearest(name, Names);
        return All.FirstOrDefault(r => r.Name == name)
            ?? throw new UsageException($"unknown recipe {UsageException.Quote(name)}{(near is null ? "" : $", did you mean {near}?")} (there are {string.Join(", ", Names)} and plan)");
    }
}
