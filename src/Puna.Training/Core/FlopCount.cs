using Puna.Models;
using Puna.Tensors;

namespace Puna.Training.Core;

/// <summary>Multiplications and additions of a training step, without recomputation (spec training.md 1.11).</summary>
public static class FlopCount
{
    /// <summary>Parameters of the blocks' matrices that every token meets: of routed experts as many as a token is sent to.</summary>
    public static long BlockParameters(LlamaConfig config)
    {
        long q = (long)config.Heads * config.HeadDim, kv = (long)config.KvHeads * config.HeadDim;
        long sum = config.Layers * ((2L * config.Hidden * q) + (2L * config.Hidden * kv));
        for (int i = 0; i < config.Layers; i++)
        {
            sum += config.Llama4 is { } four && four.HasExperts[i]
                ? config.Hidden * (four.Experts + (3L * four.ExpertFfn * (1 + four.ExpertsPerToken)))
                : 3L * config.Hidden * config.Ffn;
        }

        // Cross-attention layers: queries, output and feed-forward of the text; keys and values are those of pictures.
        return sum + ((config.Vision?.CrossLayers.Count ?? 0) * ((2L * config.Hidden * q) + (3L * config.Hidden * config.Ffn)));
    }

    /// <summary>Operations of forward and backward of one batch as it is: attention within each sequence alone, the output layer for rows with a target alone.</summary>
    /// <param name="config">The model.</param>
    /// <param name="batch">The batch.</param>
    public static double Training(LlamaConfig config, Batch batch)
    {
        double pairs = 0;
        for (int s = 0; s < batch.Sequences; s++)
        {
            double n = batch.Starts[s + 1] - batch.Starts[s];
            pairs += n * n;
        }

        return (6.0 * BlockParameters(config) * batch.Count) + (6.0 * config.Vocab * config.Hidden * batch.Outputs.Length) + (6.0 * config.Layers * config.Heads * config.HeadDim * pairs);
    }

    /// <summary>Operations per token of forward and backward where every row is one text of <paramref name="length"/> tokens; local layers see a chunk of it.</summary>
    public static double TrainingPerToken(LlamaConfig config, int length)
    {
        double seen = 0;
        for (int i = 0; i < config.Layers; i++)
        {
            seen += config.Llama4 is { } four && four.IsLocal[i] ? Math.Min(length, four.ChunkSize) : length;
        }

        return (6.0 * (BlockParameters(config) + ((double)config.Vocab * config.Hidden))) + (6.0 * config.Heads * config.HeadDim * seen);
    }
}
