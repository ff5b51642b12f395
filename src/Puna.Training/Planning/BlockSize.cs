using Puna.Models;
using Puna.Tensors;

namespace Puna.Training.Planning;

/// <summary>What the parts of a model weigh on one of several tensor-parallel ranks, and what a token leaves behind in them (spec training.md 1.11).</summary>
internal sealed class BlockSize
{
    private readonly double[] _parameters;
    private readonly double[] _perToken;

    /// <summary>Sizes of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tp">Tensor-parallel ranks.</param>
    /// <param name="width">Bytes of an activation.</param>
    public BlockSize(LlamaConfig model, int tp, int width)
    {
        _parameters = new double[model.Layers];
        _perToken = [.. Enumerable.Range(0, model.Layers).Select(i => BytesPerToken(model, i, width))];
        foreach ((string name, Shape shape) in model.Parameters())
        {
            double count = IsCut(name, shape) ? (double)shape.Count / tp : shape.Count;
            if (name.StartsWith("layers.", StringComparison.Ordinal))
            {
                _parameters[Number(name)] += count;
            }
            else if (name.StartsWith("cross_attention_layers.", StringComparison.Ordinal))
            {
                _parameters[Behind(model, Number(name))] += count;
            }
            else if (name.StartsWith("vision_model.", StringComparison.Ordinal))
            {
                Encoder += count;
            }
        }

        for (int j = 0; j < model.Vision?.CrossLayers.Count; j++)
        {
            // Keys and values are those of pictures, which are not counted.
            double q = (double)model.Heads * model.HeadDim;
            _perToken[Behind(model, j)] += (width * ((4.0 * model.Hidden) + (2 * q) + (3.0 * model.Ffn))) + (sizeof(float) * (double)model.Heads);
        }

        Encoder += model.Llama4?.Vision?.Parameters(model.Hidden).Sum(p => IsCut(p.Name, p.Shape) ? (double)p.Shape.Count / tp : p.Shape.Count) ?? 0;
    }

    /// <summary>Parameters of the picture encoder, 0 where there is none.</summary>
    public double Encoder { get; }

    /// <summary>Parameters of a block, with the cross-attention layer before it where there is one.</summary>
    public double Parameters(int layer) => _parameters[layer];

    /// <summary>Bytes that a token leaves behind in a block, all tensor-parallel ranks together.</summary>
    public double BytesPerToken(int layer) => _perToken[layer];

    /// <summary>
    /// What is kept of a block per token: its input, both normed inputs and the middle of the residual stream; queries and the attention's output; keys and values; gate, up and their product; the log-sum-exp of
    /// each head in float32. With experts: the scores in float32, gate, up and product of the shared expert and of each that the token is sent to, and what that one is given. Normed queries and keys beside what
    /// they were before.
    /// </summary>
    private static double BytesPerToken(LlamaConfig m, int layer, int width)
    {
        double q = (double)m.Heads * m.HeadDim, kv = (double)m.KvHeads * m.HeadDim;
        bool isNormed = m.Llama4 is { QkNorm: true } normed && normed.IsRotary[layer];
        bool hasExperts = m.Llama4 is { } model && model.HasExperts[layer];
        double values = (4.0 * m.Hidden) + (2 * q) + (2 * kv) + (isNormed ? q + kv : 0)
            + (hasExperts ? (3.0 * m.Llama4!.ExpertFfn * (1 + m.Llama4.ExpertsPerToken)) + ((double)m.Hidden * m.Llama4.ExpertsPerToken) : 3.0 * m.Ffn);
        return (width * values) + (sizeof(float) * ((double)m.Heads + (hasExperts ? m.Llama4!.Experts : 0)));
    }

    /// <summary>Matrices and their column biases are cut; norms, the biases of outputs, gates, and the small matrix that chooses experts are not.</summary>
    private static bool IsCut(string name, Shape shape) =>
        shape.Rank >= 2 ? !name.EndsWith("router.weight", StringComparison.Ordinal)
        : name.EndsWith(".bias", StringComparison.Ordinal) && !name.EndsWith("wo.bias", StringComparison.Ordinal) && !name.EndsWith("w2.bias", StringComparison.Ordinal)
            && !name.StartsWith("vision_model.", StringComparison.Ordinal);

    private static int Number(string name) => int.Parse(name.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The block that a cross-attention layer comes before; its place is counted over both kinds.</summary>
    private static int Behind(LlamaConfig model, int cross) => Math.Min(model.Vision!.CrossLayers[cross] - cross, model.Layers - 1);
}
