using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Adapters;

/// <summary>
/// A LoRA, rsLoRA or DoRA adapter: a folder as peft publishes it (<c>adapter_config.json</c>, <c>adapter_model.safetensors</c>) or a GGUF file of the type <c>adapter</c>. It is applied by adding it to the
/// weights in float32 when they are read (<see cref="Checkpoint.Adapt"/>): a model with an adapter costs no time more than without, and a weight that it changes takes 4 bytes a value.
/// </summary>
public sealed class LoraAdapter
{
    private readonly Dictionary<string, LoraPart> _parts;

    private LoraAdapter(string path, Dictionary<string, LoraPart> parts) => (Path, _parts) = (path, parts);

    /// <summary>What was opened.</summary>
    public string Path { get; }

    /// <summary>Canonical names of the weights that it changes.</summary>
    public IReadOnlyCollection<string> Names => _parts.Keys;

    /// <summary>Reads an adapter; its files may be gone afterwards.</summary>
    /// <param name="path">A folder, or a <c>.gguf</c> file.</param>
    /// <param name="config">The model it is for: names and sizes must fit.</param>
    /// <exception cref="PunaException">Names what is wrong and where.</exception>
    public static LoraAdapter Open(string path, LlamaConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Vision is not null)
        {
            throw new PunaException($"adapter {path}: expected a model of text alone, got {config.Name}");
        }

        if (Directory.Exists(path))
        {
            return new LoraAdapter(path, PeftAdapterReader.Read(path, config));
        }

        if (!File.Exists(path))
        {
            throw new PunaException($"adapter {path}: expected a folder with adapter_config.json or a .gguf file, got nothing of that name");
        }

        using GgufFile file = GgufFile.Open(path);
        return new LoraAdapter(path, GgufAdapterReader.Read(file, config));
    }

    /// <summary>Whether it changes a parameter.</summary>
    /// <param name="canonical">Canonical name.</param>
    public bool Changes(string canonical) => _parts.ContainsKey(canonical);

    /// <summary>What it does to each weight, by canonical name.</summary>
    internal IReadOnlyDictionary<string, LoraPart> Parts => _parts;

    /// <summary>The adapted weight <c>[out, in]</c>, float32.</summary>
    internal Tensor Apply(string canonical, Tensor stored, RopeLayout layout, int headDim) => _parts[canonical].Apply(canonical, stored, layout, headDim);
}
