using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Adapters;

/// <summary>
/// A LoRA, rsLoRA or DoRA adapter: a folder as peft publishes it (<c>adapter_config.json</c>, <c>adapter_model.safetensors</c>) or a GGUF file of the type <c>adapter</c>. It is applied by adding it to the
/// weights in float32 when they are read (<see cref="Checkpoint.Adapt"/>): a model with an adapter costs no time more than without, and a weight that it changes takes 4 bytes a value. Parameters that it has in full
/// take the place of the model's.
/// </summary>
public sealed class LoraAdapter
{
    private readonly AdapterContent _content;

    private LoraAdapter(string path, AdapterContent content)
    {
        (Path, _content) = (path, content);
        Names = [.. content.Parts.Keys.Concat(content.Whole.Keys).Distinct()];
    }

    /// <summary>What was opened.</summary>
    public string Path { get; }

    /// <summary>Canonical names of the parameters that it changes.</summary>
    public IReadOnlyCollection<string> Names { get; }

    /// <summary>Canonical names of the parameters that it has in full, in place of the model's (peft's <c>modules_to_save</c>).</summary>
    public IReadOnlyCollection<string> Replaced => [.. _content.Whole.Keys];

    /// <summary>Whether a model whose output layer is its embedding has two of its own with it, since it has one of them in full, or both.</summary>
    public bool Unties => _content.Unties;

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
        return new LoraAdapter(path, new AdapterContent(GgufAdapterReader.Read(file, config), new Dictionary<string, Tensor>(), RopeLayout.Interleaved, false));
    }

    /// <summary>Whether it changes a parameter.</summary>
    /// <param name="canonical">Canonical name.</param>
    public bool Changes(string canonical) => _content.Parts.ContainsKey(canonical) || _content.Whole.ContainsKey(canonical);

    /// <summary>What it adds to each weight, by canonical name.</summary>
    internal IReadOnlyDictionary<string, LoraPart> Parts => _content.Parts;

    /// <summary>The adapted weight <c>[out, in]</c>, float32.</summary>
    internal Tensor Apply(string canonical, Tensor stored, RopeLayout layout, int headDim) => _content.Parts[canonical].Apply(canonical, stored, layout, headDim);

    /// <summary>A parameter that it has in full, in the type that it has it in, or float32 where something is added to that; null where the model's own counts. In memory of its own.</summary>
    internal Tensor? Replacement(string canonical, RopeLayout layout, int headDim)
    {
        if (!_content.Whole.ContainsKey(canonical))
        {
            return null;
        }

        Tensor own = _content.Take(canonical, layout, headDim);
        if (!_content.Parts.ContainsKey(canonical))
        {
            return own;
        }

        Tensor adapted = Apply(canonical, own, layout, headDim);
        own.Storage.Dispose();
        return adapted;
    }
}
