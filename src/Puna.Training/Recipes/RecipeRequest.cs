namespace Puna.Training.Recipes;

/// <summary>What a recipe is asked to do.</summary>
/// <param name="Config">Path of the config file, JSON; relative paths inside it are relative to its folder.</param>
/// <param name="Output">Folder for the results; made where it is missing.</param>
/// <param name="Resume">Whether to go on from what the folder holds. Without it a folder that holds results of a run is refused.</param>
/// <param name="Threads">Threads that compute; 0 means one per core.</param>
public sealed record RecipeRequest(string Config, string Output, bool Resume = false, int Threads = 0);
