using Puna.Cli.Locating;
using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Formats.Meta;
using Puna.Formats.Safetensors;
using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Cli.Inspection;

/// <summary>What can be told of a model without running it. Its files are open until it is disposed.</summary>
internal sealed class ModelInspection : IDisposable
{
    private ModelInspection(ModelSource source, TensorFile file)
    {
        Name = source.Name;
        Path = source.Path;
        File = file;
    }

    /// <summary>What the user called it.</summary>
    public string Name { get; }

    /// <summary>File or folder; null for an embedded model.</summary>
    public string? Path { get; }

    /// <summary>Its tensors.</summary>
    public TensorFile File { get; }

    /// <summary>Shape and arithmetic; null where it is no model that this version can run, which <see cref="Problem"/> explains.</summary>
    public LlamaConfig? Config { get; private set; }

    /// <summary>Why it cannot be run; null where it can.</summary>
    public string? Problem { get; private set; }

    /// <summary>Name of the format with its version.</summary>
    public string Format => File switch
    {
        GgufFile gguf => $"gguf v{gguf.Version}",
        SafetensorsFile => "safetensors",
        MetaCheckpoint meta => meta.Parts == 1 ? "meta" : $"meta, {meta.Parts} parts",
        _ => "llama2.c",
    };

    /// <summary>Bytes of all tensors.</summary>
    public long TensorBytes => File.Tensors.Sum(static t => t.ByteLength);

    /// <summary>Values of all tensors.</summary>
    public long Values => File.Tensors.Sum(static t => t.Shape.Count);

    /// <summary>Types of the tensors with their numbers and bytes, those with most bytes first.</summary>
    public IReadOnlyList<(DType Type, int Count, long Bytes)> Types =>
    [
        .. File.Tensors.GroupBy(static t => t.DType).Select(static g => (g.Key, g.Count(), g.Sum(static t => t.ByteLength))).OrderByDescending(static g => g.Item3),
    ];

    /// <summary>Opens the tensors, and looks whether they make a model that can be run.</summary>
    /// <exception cref="PunaException">The files are damaged, or none.</exception>
    public static ModelInspection Open(ModelSource source, bool map)
    {
        var inspection = new ModelInspection(source, source.OpenTensors(map));
        try
        {
            using Checkpoint checkpoint = source.OpenCheckpoint(map);
            inspection.Config = checkpoint.Config;
        }
        catch (PunaException e)
        {
            inspection.Problem = e.Message;
        }

        return inspection;
    }

    /// <inheritdoc/>
    public void Dispose() => File.Dispose();
}
