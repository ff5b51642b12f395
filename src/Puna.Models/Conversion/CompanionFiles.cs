using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Conversion;

/// <summary>What belongs to a model beside its weights: settings, vocabulary, chat template.</summary>
internal static class CompanionFiles
{
    /// <summary>A name for the model: what its metadata says, or that of its folder or file.</summary>
    public static string ModelName(Checkpoint source) =>
        source.Gguf?.GetString("general.name") ?? Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Path.GetFullPath(source.Path)));

    /// <summary>Writes the settings beside safetensors; Meta's are written with the weights.</summary>
    public static void Write(Checkpoint source, string folder, CheckpointFormat format, DType type)
    {
        if (format == CheckpointFormat.Safetensors)
        {
            Replace(Path.Combine(folder, "config.json"), HuggingFaceConfigWriter.Write(source.Config, type));
        }
    }

    /// <summary>Puts the vocabulary into GGUF metadata.</summary>
    public static void AddVocabulary(Checkpoint source, GgufMetadata metadata)
    {
        if (source.Gguf is GgufMetadata own)
        {
            foreach ((string key, GgufValue value) in own)
            {
                if (key.StartsWith("tokenizer.", StringComparison.Ordinal) || (key.StartsWith("general.", StringComparison.Ordinal) && !metadata.Contains(key) && key != "general.alignment"))
                {
                    metadata.Set(key, value);
                }
            }
        }
    }

    /// <summary>Writes a small file completely or not at all.</summary>
    public static void Replace(string path, byte[] bytes)
    {
        string temporary = path + ".tmp";
        try
        {
            File.WriteAllBytes(temporary, bytes);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new PunaException($"file {path}: cannot be written: {e.Message}", e);
        }
    }
}
