using System.Text;
using Puna.Models;
using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Training.Core;

/// <summary>
/// Random weights of a new model: matrices and embeddings N(0, 0.02), those that write into the residual stream divided by sqrt(2 layers), norms 1, biases and gates 0. A pure function of name, element and
/// seed, so that it does not depend on the order of creation. Encoders of pictures begin as CLIP's do: matrices and tables N(0, 1 / sqrt(columns)), the former divided by sqrt(2 layers) where they write into
/// the residual stream.
/// </summary>
/// <remarks>
/// Spec training.md 3.1 proposes N(0, 1 / sqrt(inputs)) for matrices. In a small model the blocks then write far more into the residual stream than the embeddings put there, the identity of a token is lost on
/// the way, and the model does not learn to copy a name from what it has read.
/// </remarks>
public static class Initialization
{
    /// <summary>Standard deviation of embeddings and matrices.</summary>
    public const double Deviation = 0.02;

    /// <summary>The initial values of a parameter.</summary>
    public static Tensor Create(LlamaConfig config, string name, Shape shape, ulong seed)
    {
        Tensor tensor = Tensor.Create(shape);
        if (shape.Rank < 2)
        {
            if (name.EndsWith("norm.weight", StringComparison.Ordinal) || (name.Contains(".ln_", StringComparison.Ordinal) && name.EndsWith(".weight", StringComparison.Ordinal)))
            {
                tensor.Row<float>(0).Fill(1);
            }
            else if (name.EndsWith(".class_embedding", StringComparison.Ordinal))
            {
                Normal(tensor.Row<float>(0), seed, Stream(name), 0, 1 / Math.Sqrt(shape.Columns));
            }

            return tensor;
        }

        double deviation = Deviation;
        if (name.EndsWith("attention.wo.weight", StringComparison.Ordinal) || name.EndsWith("feed_forward.w2.weight", StringComparison.Ordinal))
        {
            deviation /= Math.Sqrt(2.0 * config.Layers);
        }

        if (name.StartsWith("vision_", StringComparison.Ordinal))
        {
            int layers = config.Vision?.LocalLayers + config.Vision?.GlobalLayers ?? config.Llama4!.Vision!.Layers;
            bool isResidual = name.EndsWith(".attn.wo.weight", StringComparison.Ordinal) || (name.Contains(".resblocks.", StringComparison.Ordinal) && name.EndsWith(".mlp.c_proj.weight", StringComparison.Ordinal));
            deviation = 1 / Math.Sqrt(shape.Columns * (isResidual ? 2.0 * layers : 1));
        }

        if (name.StartsWith("cross_attention_layers.", StringComparison.Ordinal))
        {
            // Their gates are closed, so that they disturb nothing at first; what is behind a gate has to be large for the gate to have a gradient that shows where to go.
            deviation = 1 / Math.Sqrt(shape.Columns);
        }

        ulong stream = Stream(name);
        for (long row = 0; row < shape.Rows; row++)
        {
            Normal(tensor.Row<float>(row), seed, stream, row * shape.Columns, deviation);
        }

        return tensor;
    }

    /// <summary>Normal numbers by Box and Muller's transform of a counter-based generator: number i depends on seed, stream and i alone.</summary>
    /// <param name="values">Filled.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="stream">Tells series of numbers apart.</param>
    /// <param name="first">Index of the first one.</param>
    /// <param name="deviation">Standard deviation.</param>
    public static void Normal(Span<float> values, ulong seed, ulong stream, long first, double deviation)
    {
        for (int i = 0; i < values.Length; i++)
        {
            (ulong low, ulong high) = Philox.Block(seed, (ulong)(first + i), stream);
            double radius = Math.Sqrt(-2 * Math.Log(((low >> 11) + 0.5) * (1.0 / (1UL << 53))));
            values[i] = (float)(deviation * radius * Math.Cos(2 * Math.PI * ((high >> 11) * (1.0 / (1UL << 53)))));
        }
    }

    /// <summary>FNV-1a of the name: a number that tells parameters apart on every platform.</summary>
    private static ulong Stream(string name)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in Encoding.UTF8.GetBytes(name))
        {
            hash = unchecked((hash ^ b) * 1099511628211);
        }

        return hash;
    }
}
