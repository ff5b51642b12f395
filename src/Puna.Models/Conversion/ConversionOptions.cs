using Puna.Models.Checkpoints;
using Puna.Models.Quantization;

namespace Puna.Models.Conversion;

/// <summary>What a checkpoint is turned into.</summary>
public sealed record ConversionOptions
{
    /// <summary>Layout of the result.</summary>
    public required CheckpointFormat Format { get; init; }

    /// <summary>Types of the result's weights; null keeps each weight's own type, or float32 where the format cannot hold it.</summary>
    public FileType? Type { get; init; }

    /// <summary>Largest size of a file's tensors in bytes before the checkpoint is split, at least 1; safetensors and GGUF only.</summary>
    public long MaxFileBytes { get; init; } = long.MaxValue;

    /// <summary>The model's name in the result's metadata; null takes what the source says, or the name of its folder or file.</summary>
    public string? Name { get; init; }

    /// <summary>Threads that compute, at least 1; the result does not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
