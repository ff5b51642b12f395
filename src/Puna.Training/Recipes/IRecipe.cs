namespace Puna.Training.Recipes;

/// <summary>Something that <c>puna train</c> can do: read a config, work, leave its results in a folder.</summary>
public interface IRecipe
{
    /// <summary>What the user types: <c>pretrain</c>, <c>tokenizer</c>.</summary>
    string Name { get; }

    /// <summary>One line for the help page.</summary>
    string Summary { get; }

    /// <summary>Does the work. Everything in the output folder is complete or absent at any moment.</summary>
    /// <param name="request">What the user asked for.</param>
    /// <param name="report">Told how far the work is.</param>
    /// <param name="stop">Cancelled when the work is to stop at the next safe place; it can be resumed then.</param>
    /// <returns>What the command prints: a few lines about the result.</returns>
    /// <exception cref="Puna.Tensors.PunaException">The config or its data cannot be used; one line says why.</exception>
    string Run(RecipeRequest request, IRecipeReport report, CancellationToken stop);
}
