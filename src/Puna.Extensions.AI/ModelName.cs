using Puna.Runtime.Generation;

namespace Puna.Extensions.AI;

/// <summary>How a model is called in answers.</summary>
internal static class ModelName
{
    /// <summary>The name of its file or folder, without the path and the ending.</summary>
    public static string Of(LanguageModel model)
    {
        string path = Path.TrimEndingDirectorySeparator(model.Checkpoint.Path);
        return path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) ? Path.GetFileNameWithoutExtension(path) : Path.GetFileName(path);
    }
}
