using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Adapters;

/// <summary>
/// A LoRA, rsLoRA or DoRA adapter beside a model's weights, which stay as they are: y = W x + scale B A x is computed for the rows that have it (<see cref="AdapterBatch"/>). So one model serves many
/// adapters at once. It costs two thin products per weight, and rounds where an adapter that is added to the weights (<see cref="Checkpoint.Adapt"/>) does not: close to that, not equal bit by bit.
/// </summary>
public sealed class UnmergedAdapter
{
    private readonly Dictionary<string, LowRank> _parts;

    private UnmergedAdapter(string path, LlamaConfig config, Dictionary<string, LowRank> parts) => (Path, Config, _parts) = (path, config, parts);

    /// <summary>What was opened.</summary>
    public string Path { get; }

    /// <summary>Tells it from every other, of the same files too.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The config of the model that it stands beside.</summary>
    public LlamaConfig Config { get; }

    /// <summary>Canonical names of the weights that it adds to.</summary>
    public IReadOnlyCollection<string> Names => _parts.Keys;

    /// <summary>Reads an adapter; its files may be gone afterwards.</summary>
    /// <param name="path">As <see cref="LoraAdapter.Open"/>.</param>
    /// <param name="checkpoint">The model it is for. DoRA needs the lengths of its rows, so weights that were read into memory must not have been given back to make room for packed ones.</param>
    /// <param name="ops">The device that computes.</param>
    /// <exception cref="PunaException">Names what is wrong and where; or it changes what is not computed for every token (experts that tokens are routed to), or the lengths of an embedding's rows.</exception>
    public static UnmergedAdapter Open(string path, Checkpoint checkpoint, IOps ops)
    {
        LlamaConfig config = checkpoint.Config;
        LoraAdapter adapter = LoraAdapter.Open(path, config);
        if (adapter.Replaced.FirstOrDefault() is { } whole)
        {
            throw new PunaException($"adapter {path}: expected matrices to add, got {whole} in full (modules_to_save): such an adapter can only be added to the weights");
        }

        var parts = new Dictionary<string, LowRank>(StringComparer.Ordinal);
        foreach ((string name, LoraPart part) in adapter.Parts)
        {
            if (name.Contains(".experts.", StringComparison.Ordinal) || name.Contains(".router.", StringComparison.Ordinal))
            {
                throw new PunaException($"adapter {path}: expected weights that every token meets, got {name}: such an adapter can only be added to the weights");
            }

            bool isTable = name == Llama.EmbeddingName;
            if (isTable && part.Magnitude is not null)
            {
                throw new PunaException($"adapter {path}: expected DoRA of linear layers, got one of {name}: such an adapter can only be added to the weights");
            }

            int rows = part.B.Length / part.Rank, columns = part.A.Length / part.Rank;
            var b = new Weight(name + " lora B", Tensor.From(part.ScaledB(name, checkpoint.RopeLayout, config.HeadDim), new Shape(rows, part.Rank)));
            parts[name] = new LowRank(
                ops.Pack(new Weight(name + " lora A", Tensor.From(part.A, new Shape(part.Rank, columns)))),
                ops.Pack(b),
                Factors(checkpoint, name, part) is { } factors ? new Weight(name + " lora factors", Tensor.From(factors, new Shape(factors.Length))) : null,
                isTable ? b : null,
                isTable ? ops.Pack(new Weight(name + " lora columns", Tensor.From(Transposed(part.A, columns), new Shape(columns, part.Rank)))) : null);
        }

        return new UnmergedAdapter(path, config, parts);
    }

    /// <summary>What it adds to a weight, or null.</summary>
    internal LowRank? Find(string canonical) => _parts.GetValueOrDefault(canonical);

    private static float[]? Factors(Checkpoint checkpoint, string name, LoraPart part)
    {
        if (part.Magnitude is null)
        {
            return null;
        }

        Tensor stored = checkpoint.GetTensor(name);
        float[]? factors = part.Factors(name, stored, checkpoint.RopeLayout, checkpoint.Config.HeadDim);
        checkpoint.Release(name, stored);
        return factors;
    }

    private static float[] Transposed(float[] values, int columns)
    {
        var result = new float[values.Length];
        int rows = values.Length / columns;
        for (int i = 0; i < values.Length; i++)
        {
            result[(i % columns * rows) + (i / columns)] = values[i];
        }

        return result;
    }
}
