using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Puna.Tensors;

namespace Puna.Training.Recipes;

/// <summary>Reads the config file of a recipe.</summary>
public static class RecipeConfig
{
    /// <summary>Reads a JSON file into a config. What the config does not know is refused, so that a misspelt key is never ignored.</summary>
    /// <typeparam name="T">The config.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="type">Generated reader; <c>snake_case</c> names and unmapped members disallowed are up to it.</param>
    /// <exception cref="PunaException">The file is missing or no such config.</exception>
    public static T Read<T>(string path, JsonTypeInfo<T> type)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PunaException($"config {path}: not found", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PunaException($"config {path}: cannot be read: {e.Message}", e);
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw new PunaException($"config {path}: expected a JSON object, got null");
        }
        catch (JsonException e)
        {
            throw new PunaException($"config {path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
